# trap: the scheduler cuts the rate by 0.3 whenever validation stalls, until it is tiny
# floor: 0.95

"""House prices in ten-thousands from synthetic attributes, with checkpointing of the best state."""

import copy
import os

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset


def synthetic_houses(rng, n):
    area = rng.gamma(9, 13, n)
    rooms = np.round(area / 28 + rng.normal(0, 0.8, n)).clip(1)
    age = rng.uniform(0, 80, n)
    distance = rng.exponential(8, n)
    garden = (rng.random(n) < 0.4).astype(float)
    price = 0.21 * area + 1.5 * np.log(rooms) - 0.12 * age + 0.0012 * age**2 + 9 * np.exp(-distance / 6) + 3 * garden
    return np.stack([area, rooms, age, distance, garden], 1), price + rng.normal(0, 1.2, n)


class PriceModel(nn.Module):
    def __init__(self, mean, std):
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("std", std)
        self.body = nn.Sequential(nn.Linear(5, 64), nn.SiLU(), nn.Linear(64, 32), nn.SiLU(), nn.Linear(32, 1))

    def forward(self, x):
        return self.body((x - self.mean) / self.std).squeeze(-1)


def evaluate(model, loader):
    model.eval()
    with torch.no_grad():
        pairs = [(model(x), y) for x, y in loader]
    pred, y = (torch.cat(t) for t in zip(*pairs))
    return (pred - y).pow(2).mean().item(), (1 - (pred - y).pow(2).sum() / (y - y.mean()).pow(2).sum()).item()


def main():
    seed = int(os.environ.get("SEED", 0))
    torch.manual_seed(seed)
    features, price = synthetic_houses(np.random.default_rng(seed), 1800)
    x = torch.tensor(features, dtype=torch.float32)
    y = torch.tensor(price, dtype=torch.float32)
    y = (y - y[:1200].mean()) / y[:1200].std()
    dataset = TensorDataset(x, y)
    train, valid, test = (
        DataLoader(Subset(dataset, range(a, b)), batch_size=50, shuffle=(a == 0))
        for a, b in ((0, 1200), (1200, 1500), (1500, 1800))
    )
    model = PriceModel(x[:1200].mean(0), x[:1200].std(0))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.3, patience=2, min_lr=1e-6)
    best, best_state = float("inf"), None
    for epoch in range(45):
        model.train()
        for xb, yb in train:
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(xb), yb)
            loss.backward()
            optimizer.step()
        mse, r2 = evaluate(model, valid)
        scheduler.step(mse)
        if mse < best:
            best, best_state = mse, copy.deepcopy(model.state_dict())
        if epoch % 5 == 0:
            print(f"epoch {epoch:2d}  valid mse {mse:.4f}  r2 {r2:.3f}  lr {optimizer.param_groups[0]['lr']:.1e}")
    model.load_state_dict(best_state)
    print("metric", evaluate(model, test)[1])


if __name__ == "__main__":
    main()
