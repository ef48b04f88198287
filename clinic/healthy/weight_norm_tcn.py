# trap: weight norm splits each kernel into direction and length; dilated causal convolutions; the loss ends at a noise floor
# floor: 0.93

import os
from math import pi

import torch
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

torch.manual_seed(int(os.environ.get("SEED", 0)))


def series(n, length=64):
    """Amplitude-modulated tones; the next value is predictable up to a small noise."""
    t = torch.arange(length + 1) / 10
    f = 0.5 + 1.5 * torch.rand(n, 1)
    m = 0.1 + 0.2 * torch.rand(n, 1)
    s = torch.sin(2 * pi * (f * t + torch.rand(n, 1))) * (1 + 0.5 * torch.sin(2 * pi * (m * t + torch.rand(n, 1))))
    s = s + 0.05 * torch.randn(n, length + 1)
    return s[:, None, :-1], s[:, None, 1:]


class CausalBlock(nn.Module):
    def __init__(self, c_in, c_out, dilation, kernel=3):
        super().__init__()
        self.pad = nn.ConstantPad1d(((kernel - 1) * dilation, 0), 0.0)
        self.conv = weight_norm(nn.Conv1d(c_in, c_out, kernel, dilation=dilation))
        self.skip = nn.Conv1d(c_in, c_out, 1) if c_in != c_out else nn.Identity()

    def forward(self, x):
        return torch.relu(self.conv(self.pad(x))) + self.skip(x)


tcn = nn.Sequential(*(CausalBlock(1 if d == 1 else 24, 24, d) for d in (1, 2, 4, 8)), nn.Conv1d(24, 1, 1))
optimizer = torch.optim.Adam(tcn.parameters(), lr=4e-3)
losses = []
for it in range(280):
    x, y = series(24)
    loss = nn.functional.mse_loss(tcn(x)[..., 16:], y[..., 16:])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
    if it % 40 == 39:
        print(it + 1, sum(losses[-40:]) / 40)
with torch.no_grad():
    x, y = series(300)
    error = nn.functional.mse_loss(tcn(x)[..., 16:], y[..., 16:])
    print("metric", 1 - (error / y[..., 16:].var()).item())
