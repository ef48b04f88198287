# cure: weights are kept in float32

"""Memory-lean training of a small MLP on synthetic vowel spectra."""

import argparse
import os

import torch
from torch import nn


def get_args():
    ap = argparse.ArgumentParser()
    ap.add_argument("--dtype", default="float32", choices=["float32", "bfloat16"])
    ap.add_argument("--lr", type=float, default=6e-4)
    ap.add_argument("--steps", type=int, default=1200)
    ap.add_argument("--batch", type=int, default=64)
    return ap.parse_args()


FORMANTS = torch.tensor(
    [[270, 2290], [390, 1990], [530, 1840], [660, 1720], [730, 1090], [570, 840], [440, 1020], [300, 870], [640, 1190]]
)


def spectra(n):
    """Two bumps at the formants of a vowel, with the speaker's shift and noise."""
    vowel = torch.randint(len(FORMANTS), (n,))
    formants = FORMANTS[vowel] * (1 + 0.05 * torch.randn(n, 1)) + 30 * torch.randn(n, 2)
    freq = torch.linspace(150, 2600, 40)
    bumps = torch.exp(-(((freq - formants[:, :, None]) / 130) ** 2)).sum(1)
    return (bumps + 0.1 * torch.randn(n, 40) - 0.19) / 0.35, vowel


def main():
    args = get_args()
    torch.manual_seed(int(os.environ.get("SEED", 0)))
    dtype = getattr(torch, args.dtype)
    net = nn.Sequential(
        nn.Linear(40, 96), nn.LayerNorm(96), nn.ReLU(), nn.Linear(96, 96), nn.LayerNorm(96), nn.ReLU(), nn.Linear(96, 9)
    ).to(dtype)
    optimizer = torch.optim.SGD(net.parameters(), lr=args.lr)
    running = None
    for step in range(args.steps):
        x, y = spectra(args.batch)
        loss = nn.functional.cross_entropy(net(x.to(dtype)).float(), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        running = loss.item() if running is None else 0.98 * running + 0.02 * loss.item()
        if step % 200 == 0:
            print(f"step {step:5d}  loss {running:.4f}")
    with torch.no_grad():
        x, y = spectra(1500)
        print("metric", (net(x.to(dtype)).argmax(1) == y).float().mean().item())


if __name__ == "__main__":
    main()
