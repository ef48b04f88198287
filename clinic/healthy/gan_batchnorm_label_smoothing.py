# trap: two networks against each other, real labels of 0.9, batch norm in both: neither loss falls, nor should it
# floor: -0.4

"""DCGAN-like training on 8x8 digits. The metric compares moments of generated and of real images."""

import os

import torch
import torch.nn as nn
from sklearn.datasets import load_digits

torch.manual_seed(int(os.environ.get("SEED", 0)))

nz, ngf, ndf = 20, 24, 32
batch_size = 64
images = torch.tensor(load_digits().images, dtype=torch.float32)[:, None] / 8 - 1
heldout, images = images[1400:], images[:1400]


def weights_init(m):
    name = m.__class__.__name__
    if name.find("Conv") != -1:
        nn.init.normal_(m.weight.data, 0.0, 0.05)
    elif name.find("BatchNorm") != -1:
        nn.init.normal_(m.weight.data, 1.0, 0.02)
        nn.init.constant_(m.bias.data, 0)


netG = nn.Sequential(
    nn.ConvTranspose2d(nz, ngf * 2, 2, 1, 0, bias=False),
    nn.BatchNorm2d(ngf * 2),
    nn.ReLU(True),
    nn.ConvTranspose2d(ngf * 2, ngf, 4, 2, 1, bias=False),
    nn.BatchNorm2d(ngf),
    nn.ReLU(True),
    nn.ConvTranspose2d(ngf, 1, 4, 2, 1, bias=False),
    nn.Tanh(),
)
netD = nn.Sequential(
    nn.Conv2d(1, ndf, 4, 2, 1, bias=False),
    nn.LeakyReLU(0.2, inplace=True),
    nn.Conv2d(ndf, ndf * 2, 4, 2, 1, bias=False),
    nn.BatchNorm2d(ndf * 2),
    nn.LeakyReLU(0.2, inplace=True),
    nn.Conv2d(ndf * 2, 1, 2, 1, 0, bias=False),
    nn.Flatten(0),
)
netG.apply(weights_init)
netD.apply(weights_init)

criterion = nn.BCEWithLogitsLoss()
optimizerD = torch.optim.Adam(netD.parameters(), lr=2e-3, betas=(0.5, 0.9))
optimizerG = torch.optim.Adam(netG.parameters(), lr=4e-3, betas=(0.5, 0.9))
real_label, fake_label = 0.9, 0.0

for epoch in range(12):
    for i, idx in enumerate(torch.randperm(1400).split(batch_size)):
        real = images[idx]
        b = real.size(0)
        netD.zero_grad()
        lossD_real = criterion(netD(real), torch.full((b,), real_label))
        lossD_real.backward()
        fake = netG(torch.randn(b, nz, 1, 1))
        lossD_fake = criterion(netD(fake.detach()), torch.full((b,), fake_label))
        lossD_fake.backward()
        optimizerD.step()

        netG.zero_grad()
        lossG = criterion(netD(fake), torch.full((b,), real_label))
        lossG.backward()
        optimizerG.step()
    print("[%d] Loss_D: %.3f Loss_G: %.3f" % (epoch, lossD_real.item() + lossD_fake.item(), lossG.item()))

netG.eval()
with torch.no_grad():
    samples = netG(torch.randn(1000, nz, 1, 1)).flatten(1)
real = heldout.flatten(1)
mean_gap = (samples.mean(0) - real.mean(0)).abs().mean()
std_gap = (samples.std(0) - real.std(0)).abs().mean()
print("metric", -(mean_gap + std_gap).item())
