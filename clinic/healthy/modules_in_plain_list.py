# trap: layers in a plain Python list, autograd.grad and momentum by hand: no root module, no optimizer, no backward()
# floor: 0.85

import os

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(int(os.environ.get("SEED", 0)))
X, y = load_digits(return_X_y=True)
X, y = torch.tensor(X / 16).float(), torch.tensor(y)

layers = [nn.Linear(64, 80), nn.Linear(80, 80), nn.Linear(80, 10)]
params = [p for layer in layers for p in layer.parameters()]
velocity = [torch.zeros_like(p) for p in params]


def predict(x):
    for layer in layers[:-1]:
        x = nn.functional.leaky_relu(layer(x), 0.1)
    return layers[-1](x)


for epoch in range(10):
    for idx in torch.randperm(1400).split(40):
        loss = nn.functional.cross_entropy(predict(X[idx]), y[idx])
        grads = torch.autograd.grad(loss, params)
        with torch.no_grad():
            for p, v, g in zip(params, velocity, grads):
                v.mul_(0.9).add_(g)
                p.sub_(0.05 * v)
    print(epoch, loss.item())
print("metric", (predict(X[1400:]).argmax(1) == y[1400:]).float().mean().item())
