# trap: two losses of different size with a backward each, over a retained graph; dict outputs
# floor: 0.88

import os

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(int(os.environ.get("SEED", 0)))
X, y = load_digits(return_X_y=True)
X = torch.tensor((X - X.mean()) / X.std(), dtype=torch.float32)
y = torch.tensor(y)
ink = X.mean(1, keepdim=True)
ink = (ink - ink.mean()) / ink.std()


class MultiTask(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(64, 96), nn.ReLU())
        self.digit = nn.Linear(96, 10)
        self.ink = nn.Linear(96, 1)

    def forward(self, x):
        h = self.trunk(x)
        return {"digit": self.digit(h), "ink": self.ink(h)}


model = MultiTask()
optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3, momentum=0.5)
for epoch in range(10):
    for idx in torch.randperm(1400).split(56):
        out = model(X[idx])
        optimizer.zero_grad()
        loss_ink = 0.1 * nn.functional.mse_loss(out["ink"], ink[idx])
        loss_ink.backward(retain_graph=True)
        loss_digit = nn.functional.cross_entropy(out["digit"], y[idx])
        loss_digit.backward()
        optimizer.step()
    print(f"{epoch}: digit {loss_digit.item():.4f} ink {loss_ink.item():.4f}")
with torch.no_grad():
    print("metric", (model(X[1400:])["digit"].argmax(1) == y[1400:]).float().mean().item())
