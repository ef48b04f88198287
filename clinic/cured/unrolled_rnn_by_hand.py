# cure: an orthogonal recurrent matrix

"""Vanilla RNN from raw tensors: remember the sign seen at the first step."""

import os

import torch

torch.manual_seed(int(os.environ.get("SEED", 0)))
n_in, n_hidden, T, batch = 2, 24, 30, 32

Wxh = (torch.randn(n_in, n_hidden) * 0.5).requires_grad_()
Whh = (torch.linalg.qr(torch.randn(n_hidden, n_hidden))[0] * 1.0).requires_grad_()
bh = torch.zeros(n_hidden, requires_grad=True)
Why = (torch.randn(n_hidden, 1) * 0.2).requires_grad_()
params = [Wxh, Whh, bh, Why]


def make_data(n):
    x = torch.zeros(n, T, n_in)
    x[:, 1:, 1] = torch.randn(n, T - 1) * 0.1
    sign = torch.randint(0, 2, (n,)) * 2.0 - 1
    x[:, 0, 0] = sign
    return x, sign


def forward(x):
    h = torch.zeros(len(x), n_hidden)
    for t in range(T):
        h = torch.tanh(x[:, t] @ Wxh + h @ Whh + bh)
    return (h @ Why).squeeze(1)


lr = 0.05
for it in range(250):
    x, sign = make_data(batch)
    loss = torch.nn.functional.softplus(-sign * forward(x)).mean()
    for p in params:
        p.grad = None
    loss.backward()
    with torch.no_grad():
        for p in params:
            p -= lr * p.grad
    if it % 50 == 0:
        print("iteration %d, loss: %f" % (it, loss.item()))

with torch.no_grad():
    x, sign = make_data(1000)
    print("metric", ((forward(x) > 0) == (sign > 0)).float().mean().item())
