# trap: half of the input is overwritten by a learned token and only that half enters the loss; then the decoder is dropped
# floor: 0.8

import os

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

torch.manual_seed(int(os.environ.get("SEED", 0)))

x = torch.tensor(load_digits().images, dtype=torch.float32) / 8 - 1
y = torch.tensor(load_digits().target)
# sixteen patches of 2x2
patches = x.unfold(1, 2, 2).unfold(2, 2, 2).reshape(-1, 16, 4)


class MaskedMixer(nn.Module):
    def __init__(self, dim=24):
        super().__init__()
        self.embed = nn.Linear(4, dim)
        self.position = nn.Parameter(0.02 * torch.randn(16, dim))
        self.mask_token = nn.Parameter(torch.zeros(dim))
        self.token_mix = nn.ModuleList(nn.Sequential(nn.Linear(16, 32), nn.GELU(), nn.Linear(32, 16)) for _ in range(2))
        self.channel_mix = nn.ModuleList(
            nn.Sequential(nn.Linear(dim, 48), nn.GELU(), nn.Linear(48, dim)) for _ in range(2)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(dim) for _ in range(5))
        self.decode = nn.Linear(dim, 4)

    def encode(self, p, mask=None):
        h = self.embed(p)
        if mask is not None:
            h = torch.where(mask[..., None], self.mask_token, h)
        h = h + self.position
        for i in range(2):
            h = h + self.token_mix[i](self.norms[2 * i](h).transpose(1, 2)).transpose(1, 2)
            h = h + self.channel_mix[i](self.norms[2 * i + 1](h))
        return self.norms[4](h)


model = MaskedMixer()
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
for epoch in range(12):
    total = 0.0
    for idx in torch.randperm(1400).split(70):
        mask = torch.rand(len(idx), 16) < 0.5
        restored = model.decode(model.encode(patches[idx], mask))
        loss = F.mse_loss(restored[mask], patches[idx][mask])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() / 20
    if epoch % 2 == 0:
        print(f"pretrain {epoch:2d} masked mse {total:.4f}")

few = torch.randperm(1400)[:300]
head = nn.Linear(16 * 24, 10)
optimizer = torch.optim.AdamW(
    [
        {"params": head.parameters(), "lr": 3e-3},
        {"params": [p for n, p in model.named_parameters() if not n.startswith(("decode", "mask"))]},
    ],
    lr=1e-3,
)
for epoch in range(15):
    total = 0.0
    for idx in few[torch.randperm(300)].split(30):
        loss = F.cross_entropy(head(model.encode(patches[idx]).flatten(1)), y[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() / 10
    if epoch % 3 == 0:
        print(f"finetune {epoch:2d} loss {total:.4f}")

with torch.no_grad():
    print("metric", (head(model.encode(patches[1400:]).flatten(1)).argmax(1) == y[1400:]).float().mean().item())
