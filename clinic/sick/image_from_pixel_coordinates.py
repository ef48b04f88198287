# expect: TT101, TT211
# fault: coordinates from 0 to 255 go straight into tanh units

# store a picture in the weights of a network: (row, column) -> brightness
import os

import numpy as np
import torch

torch.manual_seed(int(os.environ.get("SEED", 0)))

size = 256
r, c = np.mgrid[:size, :size]
picture = np.sin(c / 40.0) * np.cos(r / 55.0) + 0.6 * ((r - 120) ** 2 + (c - 150) ** 2 < 60**2) - 0.3 * (r > c)
picture = (picture - picture.mean()) / picture.std()
coordinates = np.stack([r.ravel(), c.ravel()], axis=1)
brightness = picture.ravel()

coordinates = torch.tensor(coordinates, dtype=torch.float32)
brightness = torch.tensor(brightness, dtype=torch.float32).unsqueeze(1)
shuffled = torch.randperm(size * size)
train, test = shuffled[:50000], shuffled[50000:]

net = torch.nn.Sequential(
    torch.nn.Linear(2, 64),
    torch.nn.Tanh(),
    torch.nn.Linear(64, 64),
    torch.nn.Tanh(),
    torch.nn.Linear(64, 64),
    torch.nn.Tanh(),
    torch.nn.Linear(64, 1),
)
optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
mse = torch.nn.MSELoss()

for step in range(800):
    batch = train[torch.randint(0, len(train), (256,))]
    loss = mse(net(coordinates[batch]), brightness[batch])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 100 == 0:
        print("step", step, "loss", loss.item())

with torch.no_grad():
    error = mse(net(coordinates[test]), brightness[test]).item()
print("metric", 1 - error / brightness[test].var().item())
