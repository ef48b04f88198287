# trap: losses hover around a constant, the generator's gradient comes through another network that gets none of it
# floor: -0.25

import os

import numpy as np
import torch
import torch.nn.functional as F

torch.manual_seed(int(os.environ.get("SEED", 0)))

# learn the quantile function of a two-humped density with a generator of one input


def target_sample(n):
    left = torch.rand(n) < 0.35
    return torch.where(left, -1.2 + 0.25 * torch.randn(n), 0.8 + 0.4 * torch.randn(n)).unsqueeze(1)


def layer(n_in, n_out):
    bound = (6 / (n_in + n_out)) ** 0.5
    w = torch.empty(n_in, n_out).uniform_(-bound, bound).requires_grad_()
    return [w, torch.zeros(n_out, requires_grad=True)]


g_params = [*layer(1, 32), *layer(32, 32), *layer(32, 1)]
d_params = [*layer(1, 32), *layer(32, 32), *layer(32, 1)]


def apply(params, x):
    w1, b1, w2, b2, w3, b3 = params
    return torch.tanh(torch.tanh(x @ w1 + b1) @ w2 + b2) @ w3 + b3


g_opt = torch.optim.Adam(g_params, lr=2e-3, betas=(0.5, 0.99))
d_opt = torch.optim.Adam(d_params, lr=4e-3, betas=(0.5, 0.99))
average = [p.detach().clone() for p in g_params]

for step in range(1200):
    real, z = target_sample(128), 2 * torch.rand(128, 1) - 1
    fake = apply(g_params, z)
    d_loss = F.softplus(-apply(d_params, real)).mean() + F.softplus(apply(d_params, fake.detach())).mean()
    d_opt.zero_grad()
    d_loss.backward()
    d_opt.step()

    grads = torch.autograd.grad(F.softplus(-apply(d_params, fake)).mean(), g_params)
    for p, grad in zip(g_params, grads):
        p.grad = grad
    g_opt.step()
    for a, p in zip(average, g_params):
        a.lerp_(p.detach(), 0.02)
    if step % 200 == 0:
        print(step, "D", round(d_loss.item(), 3))

u = torch.linspace(-1, 1, 2001).unsqueeze(1)
generated = np.sort(apply(average, u).detach().numpy().ravel())
true = np.sort(target_sample(2001).numpy().ravel())
print("metric", float(-np.abs(generated - true).mean()))
