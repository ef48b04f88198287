# cure: lr 1e-3

import os

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import scale
from torch import nn

torch.manual_seed(int(os.environ.get("SEED", 0)))
EPOCHS = 10
LEARNING_RATE = 1e-3

digits = load_digits()
x_tr, x_te, y_tr, y_te = train_test_split(scale(digits.data), digits.target, test_size=0.4, random_state=3)
x_tr, x_te = torch.tensor(x_tr).float(), torch.tensor(x_te).float()
y_tr, y_te = torch.tensor(y_tr), torch.tensor(y_te)

model = nn.Sequential(
    nn.Linear(64, 128),
    nn.Tanh(),
    nn.Linear(128, 128),
    nn.Tanh(),
    nn.Linear(128, 128),
    nn.Tanh(),
    nn.Linear(128, 10),
)
loss_fn = nn.CrossEntropyLoss()
optim = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)

for epoch in range(EPOCHS):
    for xb, yb in zip(x_tr.split(32), y_tr.split(32)):
        loss = loss_fn(model(xb), yb)
        optim.zero_grad()
        loss.backward()
        optim.step()
    if epoch % 2 == 0:
        print("Epoch:", epoch, "Loss:", loss.detach().numpy())

acc = (model(x_te).argmax(1) == y_te).float().mean()
print("metric", acc.item())
