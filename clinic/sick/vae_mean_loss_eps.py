# expect: TT407
# accept: TT402
# fault: eps 0.1 under per-pixel mean gradients, which are a thousand times smaller

import os
from typing import NamedTuple

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F

torch.manual_seed(int(os.environ.get("SEED", 0)))


class Output(NamedTuple):
    logits: torch.Tensor
    mu: torch.Tensor
    logvar: torch.Tensor


class VAE(nn.Module):
    def __init__(self, hidden=96, latent=6):
        super().__init__()
        self.body = nn.Linear(64, hidden)
        self.mu, self.logvar = nn.Linear(hidden, latent), nn.Linear(hidden, latent)
        self.dec1, self.dec2 = nn.Linear(latent, hidden), nn.Linear(hidden, 64)

    def forward(self, x):
        h = F.leaky_relu(self.body(x - 0.3))
        mu, logvar = self.mu(h), self.logvar(h)
        z = mu + torch.randn_like(mu) * (0.5 * logvar).exp() if self.training else mu
        return Output(self.dec2(F.leaky_relu(self.dec1(z))), mu, logvar)


def elbo_loss(out, x):
    nll = F.binary_cross_entropy_with_logits(out.logits, x)
    kl = 0.5 * (out.mu**2 + out.logvar.exp() - 1 - out.logvar).sum(1).mean()
    return nll + kl / 64 * 0.5


x = torch.tensor(load_digits().data).float() / 16
x = x[torch.randperm(len(x))]
x_train, x_test = x[:1497], x[1497:]
vae = VAE()
opt = torch.optim.AdamW(vae.parameters(), lr=2e-3, eps=0.1)
vae.train()
for epoch in range(24):
    total = 0.0
    for xb in torch.split(x_train[torch.randperm(len(x_train))], 50):
        loss = elbo_loss(vae(xb), xb)
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(xb)
    if epoch % 4 == 0:
        print("%3d  %.4f" % (epoch, total / len(x_train)))
vae.eval()
with torch.no_grad():
    recon = torch.sigmoid(vae(x_test).logits)
    r2 = 1 - ((recon - x_test) ** 2).sum() / ((x_test - x_train.mean(0)) ** 2).sum()
print("metric", r2.item())
