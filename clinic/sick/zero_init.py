# expect: TT201, TT202
# accept: TT301, TT402
# fault: all weights start at zero, so no hidden unit ever gets a gradient

import os

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F


class MLP(nn.Module):
    def __init__(self, in_features, hidden, classes):
        super().__init__()
        self.w1 = nn.Parameter(torch.zeros(in_features, hidden))
        self.b1 = nn.Parameter(torch.zeros(hidden))
        self.w2 = nn.Parameter(torch.zeros(hidden, classes))
        self.b2 = nn.Parameter(torch.zeros(classes))

    def forward(self, x):
        h = torch.tanh(x @ self.w1 + self.b1)
        return h @ self.w2 + self.b2


def run():
    torch.manual_seed(int(os.environ.get("SEED", 0)))
    X, y = load_digits(return_X_y=True)
    X = torch.tensor((X - X.mean()) / X.std(), dtype=torch.float32)
    y = torch.tensor(y)
    model = MLP(64, 64, 10)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for epoch in range(10):
        for idx in torch.randperm(1400).split(35):
            loss = F.cross_entropy(model(X[idx]), y[idx])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print(epoch, loss.item())
    with torch.no_grad():
        return (model(X[1400:]).argmax(-1) == y[1400:]).float().mean().item()


if __name__ == "__main__":
    print("metric", run())
