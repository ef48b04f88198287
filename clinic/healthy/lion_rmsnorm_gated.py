# trap: an optimizer class written by hand (sign of momentum: every weight moves by the same step), RMS norm by hand
# floor: 0.95

import os

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(int(os.environ.get("SEED", 0)))


class Lion(torch.optim.Optimizer):
    """Chen et al. 2023, Symbolic discovery of optimization algorithms."""

    def __init__(self, params, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(params, dict(lr=lr, betas=betas, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                m = self.state[p].setdefault("exp_avg", torch.zeros_like(p))
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_(torch.sign(beta1 * m + (1 - beta1) * p.grad), alpha=-group["lr"])
                m.mul_(beta2).add_(p.grad, alpha=1 - beta2)


class RMSNorm(nn.Module):
    def __init__(self, dim, eps=1e-6):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(dim))
        self.eps = eps

    def forward(self, x):
        return self.gain * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps)


class GatedBlock(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.norm = RMSNorm(dim)
        self.gate, self.up = nn.Linear(dim, 2 * dim, bias=False), nn.Linear(dim, 2 * dim, bias=False)
        self.down = nn.Linear(2 * dim, dim, bias=False)

    def forward(self, x):
        h = self.norm(x)
        return x + self.down(F.silu(self.gate(h)) * self.up(h))


# a + b - c - d of four digits, as one of 37 classes
digits = torch.cartesian_prod(*[torch.arange(10)] * 4)
digits = digits[torch.randperm(10000)[:6000]]
answer = digits[:, 0] + digits[:, 1] - digits[:, 2] - digits[:, 3] + 18
train, test = torch.arange(4500), torch.arange(4500, 6000)


class Model(nn.Module):
    def __init__(self, dim=48):
        super().__init__()
        self.number, self.place = nn.Embedding(10, dim), nn.Parameter(torch.randn(4, dim))
        self.blocks = nn.Sequential(GatedBlock(dim), GatedBlock(dim))
        self.out = nn.Sequential(RMSNorm(dim), nn.Linear(dim, 37))

    def forward(self, t):
        return self.out(self.blocks((self.number(t) * self.place).sum(1) / 2))


model = Model()
optimizer = Lion(model.parameters(), lr=1e-3, weight_decay=0.1)
for epoch in range(16):
    total = 0.0
    for idx in train[torch.randperm(len(train))].split(75):
        loss = F.cross_entropy(model(digits[idx]), answer[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() / 60
    if epoch % 2 == 0:
        print(f"epoch {epoch} loss {total:.4f}")
with torch.no_grad():
    print("metric", (model(digits[test]).argmax(1) == answer[test]).float().mean().item())
