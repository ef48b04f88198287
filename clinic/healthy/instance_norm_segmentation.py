# trap: nine pixels in ten are background; Dice and cross-entropy are added; instance norm before ReLU, skip by concatenation
# floor: 0.8

"""Segment discs among bars and noise with a two-level U-net."""

import os

import torch
import torch.nn as nn
import torch.nn.functional as F


def scene(n, size=24):
    axis = torch.arange(size, dtype=torch.float32)
    yy, xx = torch.meshgrid(axis, axis, indexing="ij")
    centre = 5 + torch.rand(n, 2, 1, 1) * (size - 10)
    radius = 2.5 + 2 * torch.rand(n, 1, 1)
    disc = ((yy - centre[:, 0]) ** 2 + (xx - centre[:, 1]) ** 2 < radius**2).float()
    bar_at = torch.randint(0, size - 3, (n, 1, 1))
    bar = ((yy >= bar_at) & (yy < bar_at + 2)).float()
    image = torch.maximum(disc, bar) + 0.25 * torch.randn(n, size, size)
    return ((image - 0.2) / 0.45).unsqueeze(1), disc.unsqueeze(1)


def double_conv(c_in, c_out):
    return nn.Sequential(
        nn.Conv2d(c_in, c_out, 3, padding=1),
        nn.InstanceNorm2d(c_out, affine=True),
        nn.ReLU(inplace=True),
        nn.Conv2d(c_out, c_out, 3, padding=1),
        nn.InstanceNorm2d(c_out, affine=True),
        nn.ReLU(inplace=True),
    )


class UNet(nn.Module):
    def __init__(self, base=8):
        super().__init__()
        self.down1 = double_conv(1, base)
        self.down2 = double_conv(base, 2 * base)
        self.up = nn.ConvTranspose2d(2 * base, base, 2, stride=2)
        self.merge = double_conv(2 * base, base)
        self.final = nn.Conv2d(base, 1, 1)

    def forward(self, x):
        a = self.down1(x)
        b = self.down2(F.max_pool2d(a, 2))
        return self.final(self.merge(torch.cat((a, self.up(b)), 1)))


def dice_loss(logits, mask):
    p = logits.sigmoid()
    overlap = (p * mask).sum((1, 2, 3))
    return 1 - ((2 * overlap + 1) / (p.sum((1, 2, 3)) + mask.sum((1, 2, 3)) + 1)).mean()


def main():
    torch.manual_seed(int(os.environ.get("SEED", 0)))
    net = UNet()
    optimizer = torch.optim.AdamW(net.parameters(), lr=5e-3)
    net.train()
    for step in range(130):
        image, mask = scene(16)
        logits = net(image)
        loss = F.binary_cross_entropy_with_logits(logits, mask) + dice_loss(logits, mask)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 20 == 0:
            print(f"step {step} loss {loss.item():.4f}")
    net.eval()
    with torch.no_grad():
        image, mask = scene(100)
        found = net(image) > 0
        iou = (found & mask.bool()).sum() / (found | mask.bool()).sum()
    print("metric", iou.item())


if __name__ == "__main__":
    main()
