# cure: StandardScaler

#!/usr/bin/env python
# Wine quality - baseline notebook
import os
import random

import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, Dataset


def seed_everything(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


seed_everything(int(os.environ.get("SEED", 0)))


class WineDataset(Dataset):
    def __init__(self, X, y):
        self.X = torch.tensor(X, dtype=torch.float32)
        self.y = torch.tensor(y, dtype=torch.long)

    def __len__(self):
        return len(self.X)

    def __getitem__(self, i):
        return {"features": self.X[i], "label": self.y[i]}


class WineModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(13, 64)
        self.act = nn.Tanh()
        self.fc2 = nn.Linear(64, 3)

    def forward(self, batch):
        return self.fc2(self.act(self.fc1(batch["features"])))


df = load_wine()
X_train, X_valid, y_train, y_valid = train_test_split(df.data, df.target, test_size=0.4, random_state=1)
ss = StandardScaler()
X_train = ss.fit_transform(X_train)
X_valid = ss.transform(X_valid)
train_loader = DataLoader(WineDataset(X_train, y_train), batch_size=16, shuffle=True)
valid_loader = DataLoader(WineDataset(X_valid, y_valid), batch_size=64)

model = WineModel()
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
loss_fn = nn.CrossEntropyLoss()

for epoch in range(20):
    model.train()
    trn_loss = 0.0
    for batch in train_loader:
        optimizer.zero_grad()
        loss = loss_fn(model(batch), batch["label"])
        loss.backward()
        optimizer.step()
        trn_loss += loss.item() / len(train_loader)
    if epoch % 5 == 4:
        print(f"EPOCH: {epoch + 1}, train_loss: {trn_loss:.5f}")

model.eval()
preds = torch.cat([model(b).argmax(1) for b in valid_loader]).numpy()
print("metric", (preds == y_valid).mean())
