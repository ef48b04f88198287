# cure: sixty-four examples a batch

import argparse
import os

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

parser = argparse.ArgumentParser()
parser.add_argument("--batch-size", type=int, default=64)
parser.add_argument("--iters", type=int, default=1000)
parser.add_argument("--lr", type=float, default=3e-3)
parser.add_argument("--noise", type=float, default=0.5)
opt = parser.parse_args()
torch.manual_seed(int(os.environ.get("SEED", 0)))

digits = load_digits()
X = torch.as_tensor(digits.images, dtype=torch.float32)[:, None]
X = (X - X.mean()) / X.std()
y = torch.as_tensor(digits.target)
X_train, y_train, X_test, y_test = X[:1400], y[:1400], X[1400:], y[1400:]


def annotate(truth):
    """Ask some annotator; a share of the answers are guesses."""
    guess = torch.randint(0, 10, truth.shape)
    return torch.where(torch.rand(truth.shape) < opt.noise, guess, truth)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3)
        self.conv2 = nn.Conv2d(16, 16, 3)
        self.fc = nn.Linear(64, 10)

    def forward(self, x):
        x = F.relu(self.conv1(x))
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc(x.flatten(1))


net = Net()
adam = torch.optim.Adam(net.parameters(), lr=opt.lr)
for i in range(opt.iters):
    rows = torch.randint(1400, (opt.batch_size,))
    adam.zero_grad()
    loss = F.cross_entropy(net(X_train[rows]), annotate(y_train[rows]))
    loss.backward()
    adam.step()
    if i % 200 == 0:
        print(f"iter {i}: {loss.item():.3f}")

with torch.no_grad():
    print("metric", (net(X_test).argmax(1) == y_test).float().mean().item())
