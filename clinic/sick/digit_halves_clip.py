# expect: TT404
# fault: the learnable temperature lives in the loss module, whose parameters the optimizer never sees

"""Contrastive pretraining in miniature: match the upper half of a digit with its lower half."""

import os

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn


class Tower(nn.Module):
    def __init__(self, n_in=32, width=96, dim=24):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(n_in, width), nn.GELU(), nn.LayerNorm(width), nn.Linear(width, dim))

    def forward(self, x):
        return F.normalize(self.net(x), dim=-1)


class ContrastiveLoss(nn.Module):
    def __init__(self):
        super().__init__()
        self.log_scale = nn.Parameter(torch.zeros(()))

    def forward(self, a, b):
        logits = self.log_scale.exp() * a @ b.T
        target = torch.arange(len(a))
        return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2


torch.manual_seed(int(os.environ.get("SEED", 0)))
pixels = torch.tensor(load_digits().data).float()
pixels = (pixels - pixels.mean()) / pixels.std()
upper, lower = pixels[:, :32], pixels[:, 32:]
n_train = 1500

top, bottom, criterion = Tower(), Tower(), ContrastiveLoss()
model = nn.ModuleDict({"top": top, "bottom": bottom})
params = list(model.parameters())
opt = torch.optim.AdamW(params, lr=5e-3, weight_decay=0.0)

for epoch in range(22):
    for rows in torch.randperm(n_train).split(100):
        loss = criterion(top(upper[rows]), bottom(lower[rows]))
        opt.zero_grad()
        loss.backward()
        opt.step()
    if epoch % 5 == 0:
        print(f"epoch {epoch}  loss {loss.item():.3f}  scale {criterion.log_scale.exp().item():.2f}")

with torch.no_grad():
    held_out = criterion(top(upper[n_train:1600]), bottom(lower[n_train:1600]))
print("metric", -held_out.item())
