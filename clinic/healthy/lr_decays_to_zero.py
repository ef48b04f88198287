# trap: the learning rate ends at zero, so the last updates move nothing
# floor: 0.9

import argparse
import os

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR


def get_args():
    p = argparse.ArgumentParser(description="digits with a cosine schedule")
    p.add_argument("--lr", type=float, default=0.1)
    p.add_argument("--epochs", type=int, default=12)
    p.add_argument("--batch-size", type=int, default=64)
    return p.parse_args()


def main(args):
    torch.manual_seed(int(os.environ.get("SEED", 0)))
    X, y = load_digits(return_X_y=True)
    X = torch.tensor(X, dtype=torch.float32)
    X = (X - X[:1400].mean()) / X[:1400].std()
    y = torch.tensor(y)
    model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(inplace=True), nn.Linear(128, 10))
    opt = torch.optim.SGD(model.parameters(), lr=args.lr, momentum=0.9, nesterov=True, weight_decay=5e-4)
    steps = args.epochs * (1400 // args.batch_size + 1)
    sched = CosineAnnealingLR(opt, T_max=steps)
    for epoch in range(args.epochs):
        for idx in torch.randperm(1400).split(args.batch_size):
            loss = nn.functional.cross_entropy(model(X[idx]), y[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
            sched.step()
        print(f"epoch {epoch} loss {loss.item():.4f} lr {sched.get_last_lr()[0]:.6f}")
    with torch.no_grad():
        print("metric", (model(X[1400:]).argmax(1) == y[1400:]).float().mean().item())


if __name__ == "__main__":
    main(get_args())
