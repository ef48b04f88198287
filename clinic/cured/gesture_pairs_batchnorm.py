# cure: thirty-two examples a batch

"""Recognise hand gestures from accelerometer traces."""

import argparse
import os

import torch
from torch import nn

GESTURES = 6


def traces(n, length=32):
    kind = torch.randint(GESTURES, (n,))
    t = torch.linspace(0, 1, length) + 0.1 * torch.randn(n, 1)
    turns = (1.0 + kind % 3).unsqueeze(1)
    side = (kind // 3).float().unsqueeze(1)
    x = torch.sin(2 * torch.pi * turns * t)
    y = torch.cos(2 * torch.pi * turns * t) * (1 - 2 * side)
    xy = torch.stack([x, y], 1) * (0.8 + 0.4 * torch.rand(n, 1, 1))
    return xy + 0.3 * torch.randn(n, 2, length), kind


class GestureNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(2, 24, 7, padding=3)
        self.features = nn.Sequential(
            nn.Linear(24 * 8, 48), nn.BatchNorm1d(48), nn.ReLU(), nn.Linear(48, 48), nn.BatchNorm1d(48), nn.ReLU()
        )
        self.classify = nn.Linear(48, GESTURES)

    def forward(self, xy):
        h = nn.functional.max_pool1d(torch.relu(self.conv(xy)), 4)
        return self.classify(self.features(h.flatten(1)))


def main(args):
    torch.manual_seed(int(os.environ.get("SEED", 0)))
    xy, kind = traces(1500)
    net = GestureNet()
    opt = torch.optim.SGD(net.parameters(), lr=args.lr, momentum=0.9)
    net.train()
    for step in range(args.steps):
        i = torch.randint(len(xy), (args.batch_size,))
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(xy[i]), kind[i])
        loss.backward()
        opt.step()
        if step % 150 == 0:
            print(f"{step:>5} {loss.item():.4f}")
    net.eval()
    xy, kind = traces(1000)
    with torch.no_grad():
        return (net(xy).argmax(1) == kind).float().mean().item()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=700)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--lr", type=float, default=0.01)
    print("metric", main(parser.parse_args()))
