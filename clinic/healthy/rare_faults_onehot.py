# trap: one-hot columns that are nearly always zero; one example in twenty-five is positive, weighted up by pos_weight
# floor: 0.83

import os

import numpy as np
import torch
import torch.nn as nn
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import OneHotEncoder
from torch.utils.data import DataLoader, TensorDataset

seed = int(os.environ.get("SEED", 0))
np.random.seed(seed)
torch.manual_seed(seed)

# machine log: plant, machine type, material, shift, operator group, tool
levels = [5, 12, 8, 3, 6, 10]
n = 8000
table = np.stack([np.random.randint(0, k, n) for k in levels], axis=1)
risk = (
    0.8 * np.isin(table[:, 1], [2, 7])
    + 1.6 * ((table[:, 2] == 3) & (table[:, 5] < 4))
    + 0.9 * (table[:, 3] == 2)
    + 1.7 * ((table[:, 0] == 1) & (table[:, 4] >= 4))
    - 0.5 * (table[:, 5] == 8)
)
fault = np.random.rand(n) < 1 / (1 + np.exp(-(2.2 * risk - 5.2)))
print("share of faults", fault.mean())

X = OneHotEncoder(sparse_output=False).fit_transform(table).astype("float32")
X, y = torch.from_numpy(X), torch.from_numpy(fault.astype("float32"))
train = DataLoader(TensorDataset(X[:6000], y[:6000]), batch_size=150, shuffle=True)

model = nn.Sequential(nn.Linear(X.shape[1], 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 1), nn.Flatten(0))
pos_weight = (y[:6000] == 0).sum() / y[:6000].sum()
criterion = nn.BCEWithLogitsLoss(pos_weight=pos_weight)
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3, weight_decay=1e-4)
for epoch in range(12):
    model.train()
    total = 0
    for xb, yb in train:
        loss = criterion(model(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    print(f"epoch {epoch}: weighted bce {total / len(train):.4f}")

model.eval()
with torch.no_grad():
    print("metric", roc_auc_score(fault[6000:], model(X[6000:]).numpy()))
