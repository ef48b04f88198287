# trap: every margin is met after some epochs, so the loss and all gradients are exactly zero for the rest of the run
# floor: 0.95

import os

import numpy as np
import torch
from sklearn.datasets import make_blobs
from sklearn.model_selection import train_test_split

SEED = int(os.environ.get("SEED", 0))
torch.manual_seed(SEED)
np.random.seed(SEED)

centers = [[-2.0, -1.5], [2.0, -1.5], [0.0, 2.2]]
X, y = make_blobs(n_samples=450, centers=centers, cluster_std=0.55, random_state=SEED)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.33, stratify=y, random_state=SEED)
X_train, X_test = (torch.tensor(a, dtype=torch.float32) for a in (X_train, X_test))
y_train, y_test = torch.tensor(y_train), torch.tensor(y_test)


class SVMNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = torch.nn.Linear(2, 24)
        self.scores = torch.nn.Linear(24, 3)

    def forward(self, x):
        return self.scores(torch.nn.functional.leaky_relu(self.hidden(x), 0.1))


net = SVMNet()
opt = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
loss_fn = torch.nn.MultiMarginLoss(margin=1.0)

for epoch in range(100):
    order = torch.randperm(len(X_train))
    total = 0.0
    for i in range(0, len(order), 32):
        idx = order[i : i + 32]
        opt.zero_grad()
        loss = loss_fn(net(X_train[idx]), y_train[idx])
        loss.backward()
        opt.step()
        total += loss.item() * len(idx)
    if epoch % 10 == 0:
        print("epoch %3d  hinge %.6f" % (epoch, total / len(order)))

with torch.no_grad():
    acc = (net(X_test).argmax(1) == y_test).float().mean()
print("metric", float(acc))
