# trap: the encoder is frozen and unknown to the optimizer for the first epochs, then joins as a second param group
# floor: 0.85

import argparse
import os

import torch
import torch.nn.functional as F
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=35)
parser.add_argument("--unfreeze-at", type=int, default=8)
parser.add_argument("--lr", type=float, default=3e-3)
parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED", 0)))
args = parser.parse_args([])
torch.manual_seed(args.seed)

# unlabelled signals: sums of three waves. The label (which of four frequencies is strongest) is known for few of them.
t = torch.linspace(0, 1, 48)


def signals(n):
    amplitude = torch.rand(n, 4) + 0.2
    phase = torch.rand(n, 4, 1) * 6.2832
    freq = torch.tensor([2.0, 3.0, 5.0, 8.0])[None, :, None]
    wave = torch.sin(6.2832 * freq * t + phase)
    return (amplitude[..., None] * wave).sum(1) + 0.1 * torch.randn(n, 48), amplitude.argmax(1)


encoder = nn.Sequential(nn.Linear(48, 64), nn.GELU(), nn.Linear(64, 32), nn.GELU())
decoder = nn.Linear(32, 48)
unlabelled, _ = signals(3000)
pre = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=2e-3)
for epoch in range(8):
    for xb in unlabelled[torch.randperm(3000)].split(100):
        rec = F.mse_loss(decoder(encoder(xb)), xb)
        pre.zero_grad()
        rec.backward()
        pre.step()
    print(f"autoencoder {epoch}: {rec.item():.4f}")

x, y = signals(1500)
x_val, y_val = signals(600)
head = nn.Linear(32, 4)
encoder.requires_grad_(False)
optimizer = torch.optim.Adam(head.parameters(), lr=args.lr)
for epoch in range(args.epochs):
    if epoch == args.unfreeze_at:
        encoder.requires_grad_(True)
        optimizer.add_param_group({"params": encoder.parameters(), "lr": args.lr / 3})
    losses = []
    for idx in torch.randperm(len(x)).split(100):
        loss = F.cross_entropy(head(encoder(x[idx])), y[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    if epoch % 5 == 0:
        print(f"epoch {epoch}: {sum(losses) / len(losses):.4f}")

with torch.no_grad():
    print("metric", (head(encoder(x_val)).argmax(1) == y_val).float().mean().item())
