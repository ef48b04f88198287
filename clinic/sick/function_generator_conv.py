# expect: TT104
# accept: TT304, TT602
# fault: the wave forms were made one after the other and are never mixed

# Which setting of a function generator made this noisy trace?  Plain tensors and torch.nn.functional only.
import math
import os

import torch
import torch.nn.functional as F

torch.manual_seed(int(os.environ.get("SEED", 0)))

N, T = 480, 64
forms = {
    "sine": lambda p: torch.sin(2 * math.pi * p),
    "square": lambda p: torch.where(p % 1 < 0.5, 1.0, -1.0),
    "saw": lambda p: 2 * (p % 1) - 1,
    "ramp down": lambda p: 1 - 2 * (p % 1),
    "triangle": lambda p: 4 * (p % 1 - 0.5).abs() - 1,
    "pulse": lambda p: torch.where(p % 1 < 0.15, 2.2, -0.4),
}


def traces(form, n):
    cycles = 2 + 3 * torch.rand(n, 1)
    p = cycles * torch.linspace(0, 1, T) + torch.rand(n, 1)
    wave = form(p)
    return (0.7 + 0.6 * torch.rand(n, 1)) * wave + 0.25 * torch.randn(n, T)


def make(n):
    xs, ys = [], []
    for k, form in enumerate(forms.values()):
        xs.append(traces(form, n))
        ys.append(torch.full((n,), k))
    return torch.cat(xs).unsqueeze(1), torch.cat(ys)


x, y = make(N)
x_val, y_val = make(80)


def kaiming(*shape):
    fan_in = math.prod(shape[1:])
    return (torch.randn(shape) * math.sqrt(2 / fan_in)).requires_grad_()


w1, b1 = kaiming(16, 1, 7), torch.zeros(16, requires_grad=True)
w2, b2 = kaiming(24, 16, 5), torch.zeros(24, requires_grad=True)
w3, b3 = kaiming(len(forms), 24), torch.zeros(len(forms), requires_grad=True)
params = [w1, b1, w2, b2, w3, b3]


def scores(x):
    h = F.relu(F.conv1d(x, w1, b1, stride=2, padding=3))
    h = F.relu(F.conv1d(h, w2, b2, stride=2, padding=2))
    return F.linear(h.mean(-1), w3, b3)


optim = torch.optim.Adam(params, lr=4e-3)
for epoch in range(15):
    for rows in torch.arange(len(x)).split(60):
        logp = F.log_softmax(scores(x[rows]), dim=1)
        loss = -logp[torch.arange(len(rows)), y[rows]].mean()
        optim.zero_grad()
        loss.backward()
        optim.step()
    with torch.no_grad():
        acc = (scores(x_val).argmax(1) == y_val).float().mean().item()
    print("epoch %2d  loss %.3f  validation accuracy %.3f" % (epoch, loss.item(), acc))

print("metric", acc)
