# cure: the slopes start at one over the factor

# Physics-informed network for a driven damped oscillator:
#     u'' + 0.4 u' + 4 u = cos(1.5 t),  u(0) = 1,  u'(0) = 0,  0 <= t <= 4
# with the adaptive activation functions tanh(n a z), a learned for each layer
import os

import numpy as np
import torch
from torch.autograd import grad

torch.manual_seed(int(os.environ.get("SEED", 0)))

T_END, N_SCALE = 4.0, 20.0


class AdaptiveTanhNet(torch.nn.Module):
    def __init__(self, widths=(1, 32, 32, 1)):
        super().__init__()
        self.linears = torch.nn.ModuleList(torch.nn.Linear(i, o) for i, o in zip(widths, widths[1:]))
        for linear in self.linears:
            torch.nn.init.xavier_normal_(linear.weight)
        self.slopes = torch.nn.Parameter(torch.full((len(widths) - 2,), 1.0 / N_SCALE))

    def forward(self, t):
        h = 2 * t / T_END - 1
        for linear, a in zip(self.linears, self.slopes):
            h = torch.tanh(N_SCALE * a * linear(h))
        return self.linears[-1](h)


def reference(t_end, steps=4000):
    """Runge-Kutta."""

    def f(t, s):
        return np.array([s[1], np.cos(1.5 * t) - 0.4 * s[1] - 4 * s[0]])

    h, s, path = t_end / steps, np.array([1.0, 0.0]), [1.0]
    for k in range(steps):
        t = k * h
        k1 = f(t, s)
        k2 = f(t + h / 2, s + h / 2 * k1)
        k3 = f(t + h / 2, s + h / 2 * k2)
        k4 = f(t + h, s + h * k3)
        s = s + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        path.append(s[0])
    return torch.tensor(np.array(path), dtype=torch.float32)


net = AdaptiveTanhNet()
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, 900)
t0 = torch.zeros(1, 1, requires_grad=True)
for it in range(900):
    t = (torch.rand(64, 1) * T_END).requires_grad_()
    u = net(t)
    du = grad(u.sum(), t, create_graph=True)[0]
    ddu = grad(du.sum(), t, create_graph=True)[0]
    residual = (ddu + 0.4 * du + 4 * u - torch.cos(1.5 * t)).pow(2).mean()
    u0 = net(t0)
    du0 = grad(u0.sum(), t0, create_graph=True)[0]
    initial = (u0 - 1).pow(2).mean() + du0.pow(2).mean()
    loss = residual + 20 * initial
    opt.zero_grad()
    loss.backward()
    opt.step()
    sched.step()
    if it % 150 == 0:
        print(f"{it:5d} residual {residual.item():.3e} initial {initial.item():.3e}")

truth = reference(T_END)
with torch.no_grad():
    guess = net(torch.linspace(0, T_END, len(truth))[:, None])[:, 0]
print("metric", 1 - ((guess - truth).pow(2).sum() / (truth - truth.mean()).pow(2).sum()).item())
