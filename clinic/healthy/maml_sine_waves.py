# trap: gradients of gradients (create_graph): the inner updates are functional, the outer loss is that of adapted weights
# floor: 0.5

"""Model-agnostic meta-learning: adapt to a new sine wave from ten points with one gradient step."""

import os

import torch
import torch.nn.functional as F
from torch.func import functional_call

torch.manual_seed(int(os.environ.get("SEED", 0)))
SHOTS, TASKS, INNER_LR = 10, 16, 0.05


def tasks(n):
    amplitude, phase = 0.5 + 1.5 * torch.rand(n, 1, 1), 3.1416 * torch.rand(n, 1, 1)
    x = 6 * torch.rand(n, 2 * SHOTS, 1) - 3
    y = amplitude * torch.sin(x + phase)
    return x[:, :SHOTS], y[:, :SHOTS], x[:, SHOTS:], y[:, SHOTS:]


net = torch.nn.Sequential(
    torch.nn.Linear(1, 40), torch.nn.ReLU(), torch.nn.Linear(40, 40), torch.nn.ReLU(), torch.nn.Linear(40, 1)
)


def adapt(x, y, create_graph):
    params = dict(net.named_parameters())
    loss = F.mse_loss(functional_call(net, params, (x,)), y)
    grads = torch.autograd.grad(loss, list(params.values()), create_graph=create_graph)
    return {name: p - INNER_LR * g for (name, p), g in zip(params.items(), grads)}


def query_loss(batch, create_graph=True):
    losses = []
    for xs, ys, xq, yq in zip(*batch):
        losses.append(F.mse_loss(functional_call(net, adapt(xs, ys, create_graph), (xq,)), yq))
    return torch.stack(losses).mean()


meta = torch.optim.Adam(net.parameters(), lr=3e-3)
average = []
for it in range(160):
    loss = query_loss(tasks(TASKS))
    meta.zero_grad()
    loss.backward()
    meta.step()
    average.append(loss.item())
    if it % 20 == 19:
        print(f"iteration {it + 1}: loss after adaptation {sum(average[-20:]) / 20:.4f}")

batch = tasks(100)
after = query_loss(batch, create_graph=False).item()
print("metric", 1 - after / batch[3].var().item())
