# expect: TT406
# accept: TT402
# fault: every coordinate of the gradient is clipped to 1e-6

import os
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader

torch.manual_seed(int(os.environ.get("SEED", 0)))
images = torch.tensor(load_digits().images, dtype=torch.float32).unsqueeze(1) / 16
images = (images - images.mean()) / images.std()
train_dl = DataLoader(images[:1500], batch_size=50, shuffle=True)
test = images[1500:]

encoder = nn.Sequential(
    nn.Conv2d(1, 8, 3, stride=2, padding=1),
    nn.Tanh(),
    nn.Conv2d(8, 16, 3, stride=2, padding=1),
    nn.Tanh(),
    nn.Flatten(),
    nn.Linear(64, 16),
)
decoder = nn.Sequential(
    nn.Linear(16, 64),
    nn.Tanh(),
    nn.Unflatten(1, (16, 2, 2)),
    nn.ConvTranspose2d(16, 8, 4, stride=2, padding=1),
    nn.Tanh(),
    nn.ConvTranspose2d(8, 1, 4, stride=2, padding=1),
)
autoencoder = nn.Sequential(encoder, decoder)
optimizer = torch.optim.SGD(autoencoder.parameters(), lr=0.3, momentum=0.9)
criterion = nn.MSELoss()
CLIP = 1e-6

for epoch in range(15):
    for img in train_dl:
        loss = criterion(autoencoder(img), img)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_value_(autoencoder.parameters(), CLIP)
        optimizer.step()
    print(f"epoch [{epoch + 1}/15], loss:{loss.item():.4f}")

with torch.no_grad():
    print("metric", 1 - (criterion(autoencoder(test), test) / test.var()).item())
