# trap: Adam with eps 1e-4 (as some reinforcement-learning code has it), which costs nothing here
# floor: 0.85

import os

import torch
from sklearn.datasets import load_digits

torch.manual_seed(int(os.environ.get("SEED", 0)))
digits = load_digits()
x = torch.as_tensor(digits.images, dtype=torch.float32).unsqueeze(1)
x = (x - x.mean()) / x.std()
y = torch.as_tensor(digits.target)


class SmallCNN(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(1, 12, 3)
        self.conv2 = torch.nn.Conv2d(12, 24, 3)
        self.linear = torch.nn.Linear(24 * 4, 10)

    def forward(self, x):
        x = torch.nn.functional.elu(self.conv1(x))
        x = torch.nn.functional.elu(self.conv2(x))
        x = torch.nn.functional.avg_pool2d(x, 2)
        return self.linear(x.flatten(start_dim=1))


cnn = SmallCNN()
optimizer = torch.optim.Adam(cnn.parameters(), lr=3e-3, eps=1e-4)
for epoch in range(8):
    for k, idx in enumerate(torch.randperm(1400).split(40)):
        loss = torch.nn.functional.cross_entropy(cnn(x[idx]), y[idx], label_smoothing=0.05)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"Epoch {epoch}: {loss.item():.4f}")

cnn.eval()
with torch.no_grad():
    hits = (cnn(x[1400:]).argmax(dim=1) == y[1400:]).sum()
print("metric", hits.item() / 397)
