# expect: TT402
# fault: SGD at 1e-5 from the first step to the last

# toy segmentation: mark the pixels that belong to bright blobs on a noisy, unevenly lit background
import os
import numpy as np
import torch
import torch.nn as nn

seed = int(os.environ.get("SEED", 0))
np.random.seed(seed)
torch.manual_seed(seed)


def make(n, size=24):
    ys, xs = np.mgrid[0:size, 0:size]
    images, masks = [], []
    for _ in range(n):
        mask = np.zeros((size, size), bool)
        for _ in range(np.random.randint(1, 4)):
            cx, cy, r = np.random.randint(3, size - 3), np.random.randint(3, size - 3), np.random.uniform(2.5, 5)
            mask |= (xs - cx) ** 2 + (ys - cy) ** 2 < r**2
        slope = np.random.randn(2) * 0.04
        light = slope[0] * (xs - size / 2) + slope[1] * (ys - size / 2)
        images.append(mask * 1.5 + light + np.random.randn(size, size) * 0.5)
        masks.append(mask)
    images = np.array(images, dtype=np.float32)[:, None]
    images = (images - images.mean()) / images.std()
    return torch.tensor(images), torch.tensor(np.array(masks)[:, None]).float()


train_x, train_y = make(240)
test_x, test_y = make(60)


def block(cin, cout):
    return nn.Sequential(nn.Conv2d(cin, cout, 3, padding=1), nn.BatchNorm2d(cout), nn.ReLU())


class MiniUNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc1 = block(1, 8)
        self.enc2 = block(8, 16)
        self.pool = nn.MaxPool2d(2)
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.dec = block(24, 8)
        self.out = nn.Conv2d(8, 1, 1)

    def forward(self, x):
        a = self.enc1(x)
        b = self.enc2(self.pool(a))
        return self.out(self.dec(torch.cat([a, self.up(b)], 1)))


net = MiniUNet()
opt = torch.optim.SGD(net.parameters(), lr=1e-5, momentum=0.9)
lossf = nn.BCEWithLogitsLoss()


def dice(logits, target):
    p = (logits > 0).float()
    return (2 * (p * target).sum() / (p.sum() + target.sum() + 1e-6)).item()


for epoch in range(12):
    net.train()
    for idx in torch.randperm(len(train_x)).split(16):
        opt.zero_grad()
        loss = lossf(net(train_x[idx]), train_y[idx])
        loss.backward()
        opt.step()
    if epoch % 3 == 0:
        print("epoch", epoch, "loss", loss.item())

net.eval()
with torch.no_grad():
    print("metric", dice(net(test_x), test_y))
