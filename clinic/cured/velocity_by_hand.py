# cure: momentum 0.95

"""Softmax regression and one hidden layer, from raw tensors, on the iris flowers."""

import os
import torch
from sklearn.datasets import load_iris

g = torch.Generator().manual_seed(int(os.environ.get("SEED", 0)))
torch.manual_seed(int(os.environ.get("SEED", 0)))

iris = load_iris()
order = torch.randperm(150, generator=g)
data = torch.tensor(iris.data, dtype=torch.float)[order]
label = torch.tensor(iris.target)[order]
data = (data - data[:100].mean(0)) / data[:100].std(0)

w1 = torch.randn(4, 16, generator=g).mul(0.5).requires_grad_()
b1 = torch.zeros(16, requires_grad=True)
w2 = torch.randn(16, 3, generator=g).mul(0.25).requires_grad_()
b2 = torch.zeros(3, requires_grad=True)
weights = [w1, b1, w2, b2]
velocity = [torch.zeros_like(w) for w in weights]

alpha = 0.02
mu = 0.95


def logits(x):
    return torch.tanh(x @ w1 + b1) @ w2 + b2


for t in range(900):
    pick = torch.randint(100, (20,), generator=g)
    logp = torch.log_softmax(logits(data[pick]), 1)
    nll = -logp[torch.arange(20), label[pick]].mean()
    nll.backward()
    with torch.no_grad():
        for w, v in zip(weights, velocity):
            v.mul_(mu).sub_(w.grad, alpha=alpha)
            w.add_(v)
            w.grad.zero_()
    if t % 150 == 0:
        print("t = %d, nll = %.4f" % (t, nll.item()))

with torch.no_grad():
    test = torch.log_softmax(logits(data[100:]), 1)[torch.arange(50), label[100:]]
print("metric", test.mean().item())
