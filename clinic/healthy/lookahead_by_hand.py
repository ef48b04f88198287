# trap: every fifth step the weights are pulled half-way back to a slow copy, so that the parameters jump
# floor: 0.85

import os
from collections import defaultdict

import torch
from sklearn.datasets import load_breast_cancer
from torch import nn

torch.manual_seed(int(os.environ.get("SEED", 0)))


class Lookahead:
    """k steps forward, one step back (Zhang et al. 2019); wraps any optimizer."""

    def __init__(self, optimizer, k=5, alpha=0.5):
        self.optimizer, self.k, self.alpha = optimizer, k, alpha
        self.counter = 0
        self.slow = defaultdict(dict)
        for g in optimizer.param_groups:
            for p in g["params"]:
                self.slow[p] = p.detach().clone()

    def zero_grad(self):
        self.optimizer.zero_grad()

    def step(self):
        self.optimizer.step()
        self.counter += 1
        if self.counter % self.k == 0:
            with torch.no_grad():
                for p, slow in self.slow.items():
                    slow.add_(p - slow, alpha=self.alpha)
                    p.copy_(slow)


cancer = load_breast_cancer()
perm = torch.randperm(569)
x = torch.tensor(cancer.data, dtype=torch.float32)[perm]
y = torch.tensor(cancer.target, dtype=torch.float32)[perm]
x = (x - x[:420].mean(0)) / x[:420].std(0)

model = nn.Sequential(nn.Linear(30, 40), nn.Softplus(), nn.Dropout(0.1), nn.Linear(40, 1))
opt = Lookahead(torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9))
for epoch in range(40):
    model.train()
    epoch_loss = 0.0
    for idx in torch.randperm(420).split(42):
        loss = nn.functional.binary_cross_entropy_with_logits(model(x[idx]).squeeze(1), y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        epoch_loss += loss.item() / 10
    if epoch % 8 == 0:
        print("epoch %d: %.4f" % (epoch, epoch_loss))
model.eval()
with torch.no_grad():
    print("metric", ((model(x[420:]).squeeze(1) > 0).float() == y[420:]).float().mean().item())
