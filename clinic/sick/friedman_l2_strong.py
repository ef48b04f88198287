# expect: TT408
# fault: Adam's weight_decay is 1.0, an L2 term far stronger than the loss

import os

import torch
from sklearn.datasets import make_friedman1
from sklearn.preprocessing import StandardScaler
from torch import nn

seed = int(os.environ.get("SEED", 0))
torch.manual_seed(seed)

X, y = make_friedman1(n_samples=1600, n_features=10, noise=0.5, random_state=seed)
x_scaler = StandardScaler().fit(X[:1200])
y_scaler = StandardScaler().fit(y[:1200, None])
X = torch.from_numpy(x_scaler.transform(X)).float()
y = torch.from_numpy(y_scaler.transform(y[:, None])).float()


class Regressor(nn.Module):
    def __init__(self, in_features: int = 10, width: int = 48, dropout: float = 0.05) -> None:
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Linear(in_features, width), nn.SiLU(), nn.Dropout(dropout), nn.Linear(width, width), nn.SiLU()
        )
        self.mean = nn.Linear(width, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.mean(self.trunk(x))


model = Regressor()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3, weight_decay=1.0)
loss_fn = nn.MSELoss()

for epoch in range(30):
    model.train()
    permutation = torch.randperm(1200)
    for i in range(0, 1200, 40):
        optimizer.zero_grad()
        indices = permutation[i : i + 40]
        batch_x, batch_y = X[indices], y[indices]
        loss = loss_fn(model(batch_x), batch_y)
        loss.backward()
        optimizer.step()
    if (epoch + 1) % 5 == 0:
        print(f"Epoch {epoch + 1}, Loss: {loss.item():.4f}")

model.eval()
with torch.inference_mode():
    residual = y[1200:] - model(X[1200:])
print("metric", 1 - (residual.var() / y[1200:].var()).item())
