# expect: TT604
# fault: the target keeps its column while the prediction is flat, so the difference is a square

"""Random Fourier features and a small net fit a chirp, in plain tensors."""

import math
import os

import torch

gen = torch.Generator().manual_seed(int(os.environ.get("SEED", 0)))


def chirp(t):
    return torch.sin(2 * math.pi * (0.5 + t) * t) * torch.exp(-0.3 * t)


t_train = 2 * torch.rand(500, 1, generator=gen)
y_train = chirp(t_train) + 0.05 * torch.randn(500, 1, generator=gen)
t_test = torch.linspace(0.02, 1.98, 200).unsqueeze(1)
y_test = chirp(t_test)

freq = 5 * torch.randn(1, 24, generator=gen)
theta = {
    "w1": torch.randn(48, 40, generator=gen) / math.sqrt(48),
    "b1": torch.zeros(40),
    "w2": torch.randn(40, 1, generator=gen) / math.sqrt(40),
    "b2": torch.zeros(1),
}
for p in theta.values():
    p.requires_grad_()


def predict(t):
    phase = t @ freq
    features = math.sqrt(2) * torch.cat([phase.sin(), phase.cos()], dim=1)
    hidden = torch.tanh(features @ theta["w1"] + theta["b1"])
    return (hidden @ theta["w2"] + theta["b2"]).squeeze(-1)


momentum = {k: torch.zeros_like(p) for k, p in theta.items()}
for i in range(1500):
    rows = torch.randint(500, (32,), generator=gen)
    target = y_train[rows]
    loss = ((predict(t_train[rows]) - target) ** 2).mean()
    grads = torch.autograd.grad(loss, list(theta.values()))
    with torch.no_grad():
        for (k, p), g in zip(theta.items(), grads):
            momentum[k].mul_(0.9).add_(g)
            p.sub_(0.02 * momentum[k])
    if i % 300 == 0:
        print(i, loss.item())

with torch.no_grad():
    residual = predict(t_test) - y_test[:, 0]
    print("metric", 1 - (residual.square().mean() / y_test.var()).item())
