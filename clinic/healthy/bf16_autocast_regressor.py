# trap: forward and loss run in bfloat16 with its three decimal digits, so activations and gradients are coarse
# floor: 0.9

import os

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(int(os.environ.get("SEED", 0)))
device = "cpu"


def friedman(n):
    x = torch.rand(n, 10)
    y = 10 * torch.sin(torch.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]
    return x, y + torch.randn(n)


x, y = friedman(2400)
x = (x - x.mean(0)) / x.std(0)
y = ((y - y.mean()) / y.std()).unsqueeze(1)
train_set, valid_set = random_split(TensorDataset(x, y), [2000, 400])
train_loader = DataLoader(train_set, batch_size=64, shuffle=True)
valid_loader = DataLoader(valid_set, batch_size=400)


class Residual(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.ff = nn.Sequential(nn.Linear(dim, 2 * dim), nn.GELU(), nn.Linear(2 * dim, dim))

    def forward(self, x):
        return x + self.ff(self.norm(x))


model = nn.Sequential(nn.Linear(10, 48), Residual(48), Residual(48), nn.LayerNorm(48), nn.Linear(48, 1)).to(device)
optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.01)

for epoch in range(14):
    model.train()
    total = 0.0
    for inputs, targets in train_loader:
        inputs, targets = inputs.to(device), targets.to(device)
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device_type=device, dtype=torch.bfloat16):
            outputs = model(inputs)
            loss = nn.functional.mse_loss(outputs.float(), targets)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(inputs)
    print(f"epoch {epoch + 1:2d} | train mse {total / len(train_set):.4f}")

model.eval()
with torch.no_grad(), torch.autocast(device_type=device, dtype=torch.bfloat16):
    for inputs, targets in valid_loader:
        outputs = model(inputs).float()
        r2 = 1 - (outputs - targets).pow(2).sum() / (targets - targets.mean()).pow(2).sum()
print("metric", r2.item())
