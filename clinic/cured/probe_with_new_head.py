# cure: the head is replaced first

"""Pretrain on the digits 0 to 4, freeze the body, then train a new head for 5 to 9."""

import os

import torch
from sklearn.datasets import load_digits
from torch import nn, optim


def loop(model, optimizer, x, y, epochs, name):
    for epoch in range(epochs):
        total = 0.0
        for idx in torch.randperm(len(x)).split(32):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x[idx]), y[idx])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(idx)
        if epoch % 5 == 4:
            print(f"{name} epoch {epoch + 1}: {total / len(x):.4f}")


def main():
    torch.manual_seed(int(os.environ.get("SEED", 0)))
    bunch = load_digits()
    x = torch.tensor((bunch.data - bunch.data.mean()) / bunch.data.std()).float()
    y = torch.tensor(bunch.target)
    low, high = y < 5, y >= 5
    x_new, y_new = x[high], y[high] - 5
    n = 650

    model = nn.Sequential()
    model.add_module("body", nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU()))
    model.add_module("head", nn.Linear(64, 5))
    loop(model, optim.Adam(model.parameters(), lr=1e-3), x[low], y[low], 10, "pretrain")

    for p in model.body.parameters():
        p.requires_grad = False
    model.head = nn.Linear(64, 5)
    optimizer = optim.Adam([p for p in model.parameters() if p.requires_grad], lr=5e-3)
    loop(model, optimizer, x_new[:n], y_new[:n], 40, "finetune")

    with torch.no_grad():
        accuracy = (model(x_new[n:]).argmax(1) == y_new[n:]).float().mean().item()
    print("metric", accuracy)


if __name__ == "__main__":
    main()
