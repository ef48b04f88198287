# expect: TT306
# fault: the cooling per minute gets gradients a hundred times those of the temperatures, under one rate of SGD

# Newton's law of cooling, fitted to a cup of coffee: T(t) = room + rise * exp(-k t), t in minutes
import os

import torch

torch.manual_seed(int(os.environ.get("SEED", 0)))

TIME_UNIT = 1.0


def measure(n):
    minutes = 90 * torch.rand(n)
    celsius = 21 + 64 * torch.exp(-minutes / 35) + 0.6 * torch.randn(n)
    return minutes / TIME_UNIT, (celsius - 50) / 20


t, y = measure(400)
t_val, y_val = measure(200)

room = torch.tensor(0.0, requires_grad=True)
rise = torch.tensor(1.0, requires_grad=True)
k = torch.tensor(0.8 * TIME_UNIT / 90, requires_grad=True)
params = [room, rise, k]
lr = 2e-4


def curve(t):
    return room + rise * torch.exp(-k * t)


for step in range(1500):
    i = torch.randint(400, (40,))
    loss = ((curve(t[i]) - y[i]) ** 2).mean()
    grads = torch.autograd.grad(loss, params)
    with torch.no_grad():
        for p, g in zip(params, grads):
            p -= lr * g
    if step % 300 == 0:
        print(f"{step}: loss {loss.item():.4f}  room {room.item():.2f}  rise {rise.item():.2f}  k {k.item():.4f}")

with torch.no_grad():
    r2 = 1 - ((curve(t_val) - y_val) ** 2).mean() / y_val.var()
print("metric", r2.item())
