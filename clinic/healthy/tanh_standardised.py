# trap: full-batch descent at lr 0.1; standardised features reach beyond 3
# floor: 0.9

import os

import torch
import torch.nn as nn
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

torch.manual_seed(int(os.environ.get("SEED", 0)))
X, y = load_wine(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0, test_size=0.3)
sc = StandardScaler()
X_train = torch.tensor(sc.fit_transform(X_train), dtype=torch.float32)
X_test = torch.tensor(sc.transform(X_test), dtype=torch.float32)
y_train, y_test = torch.tensor(y_train), torch.tensor(y_test)

clf = nn.Sequential(nn.Linear(13, 24), nn.Tanh(), nn.Linear(24, 24), nn.Tanh(), nn.Linear(24, 3))
opt = torch.optim.SGD(clf.parameters(), lr=0.1)
for epoch in range(300):
    opt.zero_grad()
    loss = nn.CrossEntropyLoss()(clf(X_train), y_train)
    loss.backward()
    opt.step()
    if epoch % 50 == 0:
        print("Epoch %3d: loss %.4f" % (epoch, loss.item()))
print("metric", (clf(X_test).argmax(1) == y_test).float().mean().item())
