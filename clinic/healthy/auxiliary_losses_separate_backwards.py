# trap: three backward calls with different losses add up in each step, two of them on detached or retained parts
# floor: 0.85

import os

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

torch.manual_seed(int(os.environ.get("SEED", 0)))

X, y = load_digits(return_X_y=True)
X = torch.tensor(X, dtype=torch.float32)
X = (X - X.mean()) / X.std()
y = torch.tensor(y)
train_X, train_y, test_X, test_y = X[:1300], y[:1300], X[1300:], y[1300:]

encoder = nn.Sequential(nn.Linear(64, 80), nn.LeakyReLU(0.05), nn.Linear(80, 40), nn.LeakyReLU(0.05))
classifier = nn.Linear(40, 10)
decoder = nn.Sequential(nn.Linear(40, 80), nn.LeakyReLU(0.05), nn.Linear(80, 64))
parity_probe = nn.Linear(40, 2)  # only reads the code, does not shape it
opt = torch.optim.Adam(
    [
        {"params": encoder.parameters()},
        {"params": classifier.parameters()},
        {"params": decoder.parameters(), "lr": 2e-3},
        {"params": parity_probe.parameters(), "lr": 1e-2},
    ],
    lr=1e-3,
)

for epoch in range(12):
    sums = [0.0, 0.0, 0.0]
    for idx in torch.randperm(1300).split(52):
        xb, yb = train_X[idx], train_y[idx]
        code = encoder(xb)
        opt.zero_grad()

        reconstruction_loss = 0.5 * F.mse_loss(decoder(code), xb)
        reconstruction_loss.backward(retain_graph=True)
        class_loss = F.cross_entropy(classifier(code), yb)
        class_loss.backward()
        probe_loss = F.cross_entropy(parity_probe(code.detach()), yb % 2)
        probe_loss.backward()
        opt.step()
        for k, l in enumerate((reconstruction_loss, class_loss, probe_loss)):
            sums[k] += l.item() / 25
    print("epoch", epoch, *("%.4f" % s for s in sums))

with torch.no_grad():
    code = encoder(test_X)
    digit = (classifier(code).argmax(1) == test_y).float().mean()
    parity = (parity_probe(code).argmax(1) == test_y % 2).float().mean()
print("metric", min(digit.item(), parity.item()))
