# trap: thirty-two residual branches scaled by a parameter that starts at zero: at the first step no branch has a gradient
# floor: 0.9

import os

import torch
from torch import nn, optim
from torch.nn import functional as F

torch.manual_seed(int(os.environ.get("SEED", 0)))


class ReZeroBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.fc = nn.Linear(width, width)
        self.alpha = nn.Parameter(torch.zeros(()))

    def forward(self, x):
        return x + self.alpha * F.relu(self.fc(x))


WIDTH, DEPTH = 32, 32
net = nn.Sequential(nn.Linear(8, WIDTH), *(ReZeroBlock(WIDTH) for _ in range(DEPTH)), nn.Linear(WIDTH, 1))

# a teacher with two hidden layers
teacher = nn.Sequential(nn.Linear(8, 24), nn.Tanh(), nn.Linear(24, 24), nn.Tanh(), nn.Linear(24, 1)).requires_grad_(
    False
)
for m in teacher:
    if isinstance(m, nn.Linear):
        nn.init.normal_(m.weight, std=1.5 / m.in_features**0.5)
inputs = torch.randn(6000, 8)
outputs = teacher(inputs)
outputs = (outputs - outputs.mean()) / outputs.std()
x, y, x_val, y_val = inputs[:5000], outputs[:5000], inputs[5000:], outputs[5000:]

optimizer = optim.Adam(net.parameters(), lr=4e-3)
scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, 9 * 50)
for epoch in range(9):
    losses = []
    for rows in torch.randperm(5000).split(100):
        loss = F.mse_loss(net(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        losses.append(loss.detach())
    largest = max(abs(b.alpha.item()) for b in net[1:-1])
    print(f"epoch {epoch:2d} loss {torch.stack(losses).mean():.4f} largest alpha {largest:.3f}")

with torch.no_grad():
    print("metric", 1 - (F.mse_loss(net(x_val), y_val) / y_val.var()).item())
