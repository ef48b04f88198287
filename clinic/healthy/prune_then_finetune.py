# trap: after pruning four weights in five are exactly zero and stay so under a mask; their gradients vanish as well
# floor: 0.85

import os

import torch
import torch.nn.utils.prune as prune
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(int(os.environ.get("SEED", 0)))

digits = load_digits()
X = torch.tensor(digits.data / 16.0, dtype=torch.float32)
X -= X[:1400].mean(0)
X /= X[:1400].std()
Y = torch.tensor(digits.target)

model = nn.Sequential(nn.Linear(64, 200), nn.ReLU(), nn.Linear(200, 100), nn.ReLU(), nn.Linear(100, 10))


def train(epochs, lr, label):
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    for epoch in range(epochs):
        total = 0.0
        for idx in torch.randperm(1400).split(50):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(X[idx]), Y[idx])
            loss.backward()
            optimizer.step()
            total += loss.item()
        if epoch % 3 == 0:
            print(f"{label} epoch {epoch} loss {total / 28:.4f}")


def accuracy():
    with torch.no_grad():
        return (model(X[1400:]).argmax(1) == Y[1400:]).float().mean().item()


train(12, 0.05, "dense")
print("dense accuracy", accuracy())
targets = [(m, "weight") for m in model if isinstance(m, nn.Linear)]
prune.global_unstructured(targets, pruning_method=prune.L1Unstructured, amount=0.8)
print("accuracy after pruning", accuracy())
train(10, 0.02, "pruned")
for module, name in targets:
    prune.remove(module, name)
zeros = sum((m.weight == 0).sum().item() for m, _ in targets) / sum(m.weight.numel() for m, _ in targets)
print("share of zero weights", zeros)
print("metric", accuracy())
