# trap: float16 autocast; gradients are scaled by a changing power of two, unscaled, clipped; the scaler drops some steps
# floor: 0.85

"""Mixed precision on the CPU with gradient accumulation, unscaling and clipping, as in the AMP examples."""

import os

import torch
from sklearn.datasets import load_digits
from torch import autocast, nn
from torch.amp import GradScaler

torch.manual_seed(int(os.environ.get("SEED", 0)))

digits = load_digits()
images = torch.tensor(digits.images, dtype=torch.float32)[:, None]
images = (images - images.mean()) / images.std()
labels = torch.tensor(digits.target)
train, test = slice(0, 1400), slice(1400, None)

net = nn.Sequential(
    nn.Conv2d(1, 16, 3, padding=1),
    nn.GroupNorm(4, 16),
    nn.ReLU(),
    nn.Conv2d(16, 32, 3, stride=2, padding=1),
    nn.GroupNorm(4, 32),
    nn.ReLU(),
    nn.Flatten(),
    nn.Linear(32 * 16, 10),
)
optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)
scaler = GradScaler("cpu", init_scale=2.0**20, growth_interval=60)
iters_to_accumulate = 2

for epoch in range(6):
    epoch_loss, skipped = 0.0, 0
    chunks = torch.randperm(1400).split(35)
    for i, idx in enumerate(chunks):
        with autocast(device_type="cpu", dtype=torch.float16):
            output = net(images[train][idx])
            loss = nn.functional.cross_entropy(output.float(), labels[train][idx])
            epoch_loss += loss.item() / len(chunks)
            loss = loss / iters_to_accumulate
        scaler.scale(loss).backward()
        if (i + 1) % iters_to_accumulate == 0:
            before = scaler.get_scale()
            scaler.unscale_(optimizer)
            nn.utils.clip_grad_norm_(net.parameters(), max_norm=5.0)
            scaler.step(optimizer)
            scaler.update()
            optimizer.zero_grad()
            skipped += scaler.get_scale() < before
    print(f"epoch {epoch} loss {epoch_loss:.4f} scale {scaler.get_scale():.0f} skipped {skipped}")

net.eval()
with torch.no_grad():
    accuracy = (net(images[test]).argmax(1) == labels[test]).float().mean()
print("metric", accuracy.item())
