# expect: TT201, TT301
# fault: weights of std 0.01 in eight tanh layers

import os

import torch
import torch.nn as nn
from sklearn.datasets import load_digits

torch.manual_seed(int(os.environ.get("SEED", 0)))
digits = load_digits()
X = torch.from_numpy(digits.data).float()
X = (X - X.mean()) / X.std()
Y = torch.from_numpy(digits.target)


def init_weights(m):
    if type(m) is nn.Linear:
        torch.nn.init.normal_(m.weight, std=0.01)
        m.bias.data.fill_(0.0)


model = nn.Sequential()
model.add_module("in", nn.Linear(64, 100))
model.add_module("tanh0", nn.Tanh())
for k in range(1, 8):
    model.add_module(f"fc{k}", nn.Linear(100, 100))
    model.add_module(f"tanh{k}", nn.Tanh())
model.add_module("out", nn.Linear(100, 10))
model.apply(init_weights)

loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
for epoch in range(8):
    perm = torch.randperm(1400)
    epoch_loss = 0
    for i in range(0, 1400, 56):
        idx = perm[i : i + 56]
        optimizer.zero_grad()
        loss = loss_fn(model(X[idx]), Y[idx])
        loss.backward()
        optimizer.step()
        epoch_loss += loss.item()
    print("epoch {} loss {:.4f}".format(epoch, epoch_loss / 25))

with torch.no_grad():
    acc = (model(X[1400:]).argmax(dim=1) == Y[1400:]).sum().item() / 397
print("metric", acc)
