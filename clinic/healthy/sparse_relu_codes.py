# trap: most code units are zero on an example, as the penalty asks
# floor: -0.05

import os

import torch
from sklearn.datasets import load_digits
from torch import nn, optim

torch.manual_seed(int(os.environ.get("SEED", 0)))
x = torch.tensor(load_digits().data / 16, dtype=torch.float32)


class SparseAE(nn.Module):
    """Overcomplete autoencoder with an L1 penalty on its code."""

    def __init__(self, k=128):
        super().__init__()
        self.encode = nn.Linear(64, k)
        self.decode = nn.Linear(k, 64)

    def forward(self, x):
        code = torch.relu(self.encode(x))
        return self.decode(code), code


sae = SparseAE()
opt = optim.Adam(sae.parameters(), lr=2e-3)
for epoch in range(12):
    for xb in x[torch.randperm(1500)].split(50):
        out, code = sae(xb)
        loss = (out - xb).pow(2).sum(1).mean() + 0.02 * code.abs().sum(1).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
    zero = (code == 0).float().mean().item()
    print(f"epoch {epoch} loss {loss.item():.3f} zeros {zero:.0%}")
with torch.no_grad():
    print("metric", -(sae(x[1500:])[0] - x[1500:]).pow(2).mean().item())
