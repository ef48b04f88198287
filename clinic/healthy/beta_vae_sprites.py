# trap: beta rises from 0 to 4 and pulls the loss up while the model learns; some latent units shut down as they should
# floor: 0.75

"""A beta-VAE on images of one bright square whose position, size and brightness vary."""

import os

import torch
import torch.nn as nn
import torch.nn.functional as F

SIDE, LATENT, STEPS = 16, 6, 700


def sprites(n):
    centre = 3 + 10 * torch.rand(n, 2)
    half = 1.5 + 1.5 * torch.rand(n, 1, 1)
    light = 0.5 + 0.5 * torch.rand(n, 1, 1)
    axis = torch.arange(SIDE, dtype=torch.float32)
    dx = (axis[None, None, :] - centre[:, :1, None]).abs()
    dy = (axis[None, :, None] - centre[:, 1:, None]).abs()
    inside = torch.sigmoid(4 * (half - dx)) * torch.sigmoid(4 * (half - dy))
    return light * inside, centre


class BetaVAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Flatten(),
            nn.Linear(SIDE * SIDE, 128),
            nn.ReLU(),
            nn.Linear(128, 64),
            nn.ReLU(),
            nn.Linear(64, 2 * LATENT),
        )
        self.decoder = nn.Sequential(
            nn.Linear(LATENT, 64), nn.ReLU(), nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, SIDE * SIDE)
        )

    def forward(self, x):
        mu, logvar = self.encoder(x).chunk(2, dim=1)
        z = mu + torch.randn_like(mu) * (0.5 * logvar).exp()
        return self.decoder(z).view(-1, SIDE, SIDE), mu, logvar


def main():
    torch.manual_seed(int(os.environ.get("SEED", 0)))
    model = BetaVAE()
    optimizer = torch.optim.Adam(model.parameters(), lr=1.5e-3)
    model.train()
    for step in range(STEPS):
        beta = 4.0 * min(1.0, step / 400)
        x, _ = sprites(128)
        recon, mu, logvar = model(x)
        # unit-variance Gaussian likelihood with sigma 0.1, per image
        rec = 50 * F.mse_loss(recon, x, reduction="sum") / len(x)
        kl = 0.5 * (mu.pow(2) + logvar.exp() - 1 - logvar).sum(1).mean()
        loss = rec + beta * kl
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 100 == 0:
            print(f"{step:4d}  beta {beta:.2f}  rec {rec.item():8.3f}  kl {kl.item():.3f}  loss {loss.item():.3f}")

    model.eval()
    with torch.no_grad():
        x, _ = sprites(1000)
        mu, _ = model.encoder(x).chunk(2, dim=1)
        out = model.decoder(mu).view_as(x)
        unexplained = (out - x).pow(2).sum() / (x - x.mean(0)).pow(2).sum()
    print("metric", 1 - unexplained.item())


if __name__ == "__main__":
    main()
