# cure: momentum 0.95 at the same learning rate

import os
import torch

torch.manual_seed(int(os.environ.get("SEED", 0)))
n_bits, secret = 16, (2, 7, 11)


def parity_batch(size):
    bits = torch.randint(0, 2, (size, n_bits)) * 2.0 - 1.0
    return bits, bits[:, secret].prod(1)


class OneHidden(torch.nn.Module):
    def __init__(self, width):
        super().__init__()
        self.w = torch.nn.Parameter(torch.randn(width, n_bits) / n_bits**0.5)
        self.b = torch.nn.Parameter(torch.randn(width) * 0.5)
        self.a = torch.nn.Parameter(torch.randn(width) / width**0.5)

    def forward(self, bits):
        return torch.relu(bits @ self.w.T + self.b) @ self.a


student = OneHidden(100)
opt = torch.optim.SGD(student.parameters(), lr=0.05, momentum=0.95)
for step in range(700):
    bits, label = parity_batch(64)
    loss = torch.nn.functional.softplus(-label * student(bits)).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 100 == 0:
        print(f"{step:6d} {loss.item():.4f}")

with torch.no_grad():
    bits, label = parity_batch(4000)
    print("metric", (student(bits).sign() == label).float().mean().item())
