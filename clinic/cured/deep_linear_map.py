# cure: Xavier initialisation

"""Saxe-style experiment: how a deep linear network picks up the modes of a linear map."""

import argparse
import os

import torch
from torch import nn


def parse():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--depth", type=int, default=4)
    p.add_argument("--width", type=int, default=24)
    p.add_argument("--steps", type=int, default=600)
    p.add_argument("--lr", type=float, default=0.05)
    p.add_argument("--batch", type=int, default=64)
    p.add_argument("--seed", type=int, default=int(os.environ.get("SEED", "0")))
    return p.parse_args()


def build(depth, width):
    layers = [nn.Linear(width, width, bias=False) for _ in range(depth)]
    for layer in layers:
        nn.init.xavier_normal_(layer.weight)
    return nn.Sequential(*layers)


def main():
    a = parse()
    torch.manual_seed(a.seed)
    u, v = (torch.linalg.qr(torch.randn(a.width, a.width))[0] for _ in range(2))
    modes = torch.zeros(a.width)
    modes[:8] = torch.linspace(2.0, 1.0, 8)
    target_map = u @ torch.diag(modes) @ v.T

    def batch(n):
        x = torch.randn(n, a.width)
        return x, x @ target_map.T

    net = build(a.depth, a.width)
    opt = torch.optim.SGD(net.parameters(), lr=a.lr)
    for step in range(a.steps):
        x, y = batch(a.batch)
        loss = (net(x) - y).square().sum(1).mean() / 8
        opt.zero_grad()
        loss.backward()
        opt.step()
        if step % 100 == 0:
            product = torch.linalg.multi_dot([layer.weight for layer in reversed(net)]).detach()
            strongest = (u.T @ product @ v).diagonal()[:4].tolist()
            print(step, f"loss {loss.item():.4f}", "modes", [round(m, 3) for m in strongest])
    with torch.no_grad():
        x, y = batch(1000)
        print("metric", (1 - (net(x) - y).square().mean() / y.var()).item())


main()
