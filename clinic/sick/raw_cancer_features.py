# expect: TT101
# accept: TT211
# fault: features from 0.001 to 4000 go in as they are

import os

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

SEED = int(os.environ.get("SEED", 0))
np.random.seed(SEED)
torch.manual_seed(SEED)


class TumorNet(nn.Module):
    def __init__(self, n_features):
        super().__init__()
        self.fc1 = nn.Linear(n_features, 32)
        self.fc2 = nn.Linear(32, 16)
        self.out = nn.Linear(16, 1)

    def forward(self, x):
        x = torch.sigmoid(self.fc1(x))
        x = torch.sigmoid(self.fc2(x))
        return self.out(x).squeeze(-1)


data = load_breast_cancer()
X_train, X_test, y_train, y_test = train_test_split(
    data.data, data.target, test_size=0.3, random_state=42, stratify=data.target
)
X_train, X_test = torch.FloatTensor(X_train), torch.FloatTensor(X_test)
y_train, y_test = torch.FloatTensor(y_train), torch.FloatTensor(y_test)

net = TumorNet(X_train.shape[1])
opt = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
batch_size = 32

for epoch in range(40):
    perm = torch.randperm(len(X_train))
    total = 0
    for i in range(0, len(perm), batch_size):
        idx = perm[i : i + batch_size]
        opt.zero_grad()
        loss = F.binary_cross_entropy_with_logits(net(X_train[idx]), y_train[idx])
        loss.backward()
        opt.step()
        total += loss.item() * len(idx)
    if (epoch + 1) % 10 == 0:
        print("Epoch %d/40 - loss: %.4f" % (epoch + 1, total / len(X_train)))

net.eval()
with torch.no_grad():
    pred = (net(X_test) > 0).float()
acc = (pred == y_test).float().mean().item()
print("Test accuracy: %.2f%%" % (100 * acc))
print("metric", acc)
