# cure: the schedule ends at the last step

import math, os
import torch
from torch import nn
from sklearn.datasets import load_digits

SEED = int(os.environ.get("SEED", 0))
torch.manual_seed(SEED)

# ---- config ----
EPOCHS = 20
BATCH = 64
BASE_LR = 3e-3
NOISE = 0.5

# ---- data ----
pixels = torch.tensor(load_digits().data, dtype=torch.float32) / 8 - 1  # -1 .. 1
perm = torch.randperm(len(pixels))
train, test = pixels[perm[:1500]], pixels[perm[1500:]]

# ---- model ----
denoiser = nn.Sequential(
    nn.Linear(64, 128),
    nn.GELU(),
    nn.Linear(128, 128),
    nn.GELU(),
    nn.Linear(128, 64),
)
optim = torch.optim.AdamW(denoiser.parameters(), lr=BASE_LR, weight_decay=1e-4)
steps_per_epoch = math.ceil(len(train) / BATCH)


def set_lr(step, total):
    t = min(step / total, 1.0)
    for group in optim.param_groups:
        group["lr"] = 0.5 * BASE_LR * (1 + math.cos(math.pi * t))


# ---- training ----
step = 0
for epoch in range(EPOCHS):
    total_loss = 0.0
    for rows in torch.randperm(len(train)).split(BATCH):
        set_lr(step, EPOCHS * steps_per_epoch)
        clean = train[rows]
        restored = denoiser(clean + NOISE * torch.randn_like(clean))
        loss = nn.functional.mse_loss(restored, clean)
        optim.zero_grad()
        loss.backward()
        optim.step()
        step += 1
        total_loss += loss.item() * len(rows)
    print(f"epoch {epoch:2d}: {total_loss / len(train):.4f}")

# ---- test ----
with torch.no_grad():
    noisy = test + NOISE * torch.randn_like(test)
    mse = nn.functional.mse_loss(denoiser(noisy), test).item()
print("noisy input mse", nn.functional.mse_loss(noisy, test).item())
print("metric", -mse)
