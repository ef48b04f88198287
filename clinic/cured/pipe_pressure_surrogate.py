# cure: a momentum of 0.1

"""Fast surrogate for a slow formula: the friction factor of a pipe (Colebrook, solved by fixed-point iteration)
and from it the pressure drop over a hundred metres."""

import os

import numpy as np
import torch
from torch import nn


def pressure_drop(speed, diameter, roughness, viscosity, density=998.0, length=100.0):
    reynolds = speed * diameter / viscosity
    f = np.full_like(speed, 0.02)
    for _ in range(30):
        f = (-2 * np.log10(roughness / diameter / 3.7 + 2.51 / (reynolds * np.sqrt(f)))) ** -2
    return f * length / diameter * density * speed**2 / 2


def draw(rng, n):
    speed = rng.uniform(0.3, 4, n)
    diameter = np.exp(rng.uniform(np.log(0.02), np.log(0.4), n))
    roughness = diameter * np.exp(rng.uniform(np.log(1e-5), np.log(0.04), n))
    viscosity = np.exp(rng.uniform(np.log(4e-7), np.log(4e-6), n))
    bend = 1 + 0.5 * np.sin(3 * np.log(diameter)) * np.cos(2 * speed)  # resonance of the supports, measured
    drop = np.log(pressure_drop(speed, diameter, roughness, viscosity) * bend)
    columns = [speed, np.log(diameter), np.log(roughness), np.log(viscosity)]
    return np.stack(columns, 1), drop


def block(n_in, n_out):
    return [nn.Linear(n_in, n_out), nn.ELU(), nn.BatchNorm1d(n_out, 1e-5, 0.1)]


class Surrogate(nn.Module):
    def __init__(self, width=64):
        super().__init__()
        self.net = nn.Sequential(*block(4, width), *block(width, width), *block(width, width), nn.Linear(width, 1))

    def forward(self, x):
        return self.net(x).squeeze(1)

    @torch.no_grad()
    def predict(self, x):
        self.eval()
        return self(x)


if __name__ == "__main__":
    seed = int(os.environ.get("SEED", 0))
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    raw, drop = draw(rng, 10240)
    raw_test, drop_test = draw(rng, 2000)
    x = torch.tensor((raw - raw.mean(0)) / raw.std(0), dtype=torch.float32)
    y = torch.tensor((drop - drop.mean()) / drop.std(), dtype=torch.float32)
    x_test = torch.tensor((raw_test - raw.mean(0)) / raw.std(0), dtype=torch.float32)
    y_test = torch.tensor((drop_test - drop.mean()) / drop.std(), dtype=torch.float32)

    model = Surrogate()
    optimizer = torch.optim.NAdam(model.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.1, total_iters=4)
    for epoch in range(4):
        model.train()
        total = 0.0
        for rows in torch.randperm(len(x)).split(128):
            loss = (model(x[rows]) - y[rows]).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        schedule.step()
        print(f"epoch {epoch + 1}: mean squared error in training {total / 80:.4f}")
    error = (model.predict(x_test) - y_test).square().mean()
    print("metric", 1 - (error / y_test.var()).item())
