# cure: RMSprop at 1e-3

# learn the one-step dynamics of a pendulum from random torques, as for model-based control
import math
import os

import torch
import torch.nn.functional as F

torch.manual_seed(int(os.environ.get("SEED", 0)))

DT, G, L, DAMP = 0.1, 9.8, 1.0, 0.1


def physics(theta, omega, torque):
    for _ in range(4):
        omega = omega + DT / 4 * (-G / L * torch.sin(theta) - DAMP * omega + torque)
        theta = theta + DT / 4 * omega
    return theta, omega


def sample(n):
    theta = (torch.rand(n) * 2 - 1) * math.pi
    omega = torch.randn(n) * 2
    torque = (torch.rand(n) * 2 - 1) * 4
    next_theta, next_omega = physics(theta, omega, torque)
    obs = torch.stack([torch.sin(theta), torch.cos(theta), omega / 2, torque / 2.3], dim=1)
    delta = torch.stack([(next_theta - theta) / 0.2, (next_omega - omega) / 0.8], dim=1)
    return obs, delta


class WorldModel(torch.nn.Module):
    def __init__(self, hidden=64):
        super().__init__()
        self.inp = torch.nn.Linear(4, hidden)
        self.mid = torch.nn.Linear(hidden, hidden)
        self.out = torch.nn.Linear(hidden, 2)

    def forward(self, obs):
        h = torch.tanh(self.inp(obs))
        h = h + torch.tanh(self.mid(h))
        return self.out(h)


model = WorldModel()
opt = torch.optim.RMSprop(model.parameters(), lr=1e-3)
ema = None
for it in range(1, 1201):
    obs, delta = sample(128)
    loss = F.mse_loss(model(obs), delta)
    opt.zero_grad(set_to_none=True)
    loss.backward()
    opt.step()
    ema = loss.item() if ema is None else 0.98 * ema + 0.02 * loss.item()
    if it % 200 == 0:
        print("it %5d   smoothed mse %.5f" % (it, ema))

with torch.no_grad():
    obs, delta = sample(4000)
    err = ((model(obs) - delta) ** 2).mean(0)
    r2 = 1 - err / delta.var(0)
print("r2 of (theta, omega):", [round(v, 4) for v in r2.tolist()])
print("metric", r2.mean().item())
