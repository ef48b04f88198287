# cure: prices are standardised for training and scaled back for the score

import os
import torch
import torch.nn as nn
import numpy as np

seed = int(os.environ.get("SEED", 0))
torch.manual_seed(seed)
np.random.seed(seed)

# ---- make a housing table ----
n = 1600
area = np.random.normal(140, 40, n).clip(40)
rooms = np.round(area / 35 + np.random.normal(0, 0.8, n)).clip(1)
age = np.random.uniform(0, 60, n)
distance = np.random.exponential(8, n)
garden = np.random.rand(n) < 0.4
price = 1900 * area + 9000 * rooms - 1100 * age + 45000 * garden * (age < 30) - 60000 * np.log1p(distance) + 150000
price = price + np.random.normal(0, 12000, n)

features = np.stack([area, rooms, age, distance, garden], axis=1).astype("float32")
features = (features - features[:1200].mean(0)) / features[:1200].std(0)

X_train, X_test = torch.from_numpy(features[:1200]).float(), torch.from_numpy(features[1200:]).float()
y_train = torch.from_numpy(price[:1200]).float().reshape(-1, 1)
y_test = torch.from_numpy(price[1200:]).float().reshape(-1, 1)
y_mean, y_std = y_train.mean(), y_train.std()
y_train = (y_train - y_mean) / y_std

# ---- model ----
model = nn.Sequential(
    nn.Linear(5, 64),
    nn.ReLU(),
    nn.Linear(64, 32),
    nn.ReLU(),
    nn.Linear(32, 1),
)
loss_fn = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.001)

n_epochs = 30
batch_size = 40
for epoch in range(n_epochs):
    perm = torch.randperm(len(X_train))
    for start in range(0, len(X_train), batch_size):
        rows = perm[start : start + batch_size]
        y_pred = model(X_train[rows])
        loss = loss_fn(y_pred, y_train[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if epoch % 5 == 4:
        print("Epoch", epoch + 1, "train loss", loss.item())

# ---- evaluate ----
model.eval()
with torch.no_grad():
    y_pred = model(X_test) * y_std + y_mean
    r2 = 1 - ((y_pred - y_test) ** 2).sum() / ((y_test - y_test.mean()) ** 2).sum()
print("metric", r2.item())
