# trap: raw tensors updated by hand: no module, no optimizer
# floor: -0.3

import os

import torch

torch.manual_seed(int(os.environ.get("SEED", 0)))
dtype = torch.float
N, D_in, H, D_out = 256, 20, 50, 1

x = torch.randn(2 * N, D_in, dtype=dtype)
true_w = torch.randn(D_in, D_out, dtype=dtype) / D_in**0.5
y = torch.sin(x @ true_w)
x, y, x_test, y_test = x[:N], y[:N], x[N:], y[N:]

w1 = (torch.randn(D_in, H, dtype=dtype) / D_in**0.5).requires_grad_()
w2 = (torch.randn(H, D_out, dtype=dtype) / H**0.5).requires_grad_()

learning_rate = 5e-2
for t in range(800):
    y_pred = x.mm(w1).clamp(min=0).mm(w2)
    loss = (y_pred - y).pow(2).mean()
    if t % 100 == 99:
        print(t, loss.item())
    loss.backward()
    with torch.no_grad():
        w1 -= learning_rate * w1.grad
        w2 -= learning_rate * w2.grad
        w1.grad.zero_()
        w2.grad.zero_()

with torch.no_grad():
    mse = (x_test.mm(w1).clamp(min=0).mm(w2) - y_test).pow(2).mean().item()
print("metric", -mse)
