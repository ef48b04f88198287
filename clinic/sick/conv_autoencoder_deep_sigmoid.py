# expect: TT301
# accept: TT211
# fault: a chain of seven sigmoid convolutions

import os

import torch
import torch.nn as nn
from sklearn.datasets import load_digits

torch.manual_seed(int(os.environ.get("SEED", 0)))
images = torch.tensor(load_digits().images, dtype=torch.float32).unsqueeze(1)
images = (images - images.mean()) / images.std()


def block(cin, cout):
    return nn.Sequential(nn.Conv2d(cin, cout, 3, padding=1), nn.Sigmoid())


class ConvAutoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(block(1, 8), nn.MaxPool2d(2), block(8, 8), block(8, 8), block(8, 8))
        self.decoder = nn.Sequential(
            block(8, 8), block(8, 8), nn.Upsample(scale_factor=2), block(8, 8), nn.Conv2d(8, 1, 3, padding=1)
        )

    def forward(self, x):
        return self.decoder(self.encoder(x))


model = ConvAutoencoder()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
criterion = nn.MSELoss()
for epoch in range(5):
    for idx in torch.randperm(1500).split(50):
        x = images[idx]
        optimizer.zero_grad(set_to_none=True)
        loss = criterion(model(x), x)
        loss.backward()
        optimizer.step()
    print("epoch", epoch + 1, "loss", loss.item())
with torch.no_grad():
    print("metric", -criterion(model(images[1500:]), images[1500:]).item())
