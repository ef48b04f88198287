# trap: seven units of ten are dropped in training: the training loss is rough and far above the loss in evaluation
# floor: 0.9

import os

import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

SEED = int(os.environ.get("SEED", 0))
torch.manual_seed(SEED)
DROP = 0.7

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=SEED)
mu, sigma = X_train.mean(), X_train.std()
to_tensor = lambda a: torch.tensor((a - mu) / sigma, dtype=torch.float32)  # noqa: E731
train_dl = DataLoader(TensorDataset(to_tensor(X_train), torch.tensor(y_train)), batch_size=64, shuffle=True)
test_dl = DataLoader(TensorDataset(to_tensor(X_test), torch.tensor(y_test)), batch_size=450)

mlp = nn.Sequential()
for i, (n_in, n_out) in enumerate([(64, 256), (256, 256)]):
    mlp.add_module(f"fc{i}", nn.Linear(n_in, n_out))
    mlp.add_module(f"act{i}", nn.ReLU())
    mlp.add_module(f"drop{i}", nn.Dropout(DROP))
mlp.add_module("out", nn.Linear(256, 10))

loss_func = nn.CrossEntropyLoss()
opt = torch.optim.Adam(mlp.parameters(), lr=1e-3)


def fit(epochs):
    for epoch in range(epochs):
        mlp.train()
        train_loss = 0.0
        for xb, yb in train_dl:
            loss = loss_func(mlp(xb), yb)
            loss.backward()
            opt.step()
            opt.zero_grad()
            train_loss += loss.item() * len(xb) / len(X_train)
        mlp.eval()
        with torch.no_grad():
            valid_loss = sum(loss_func(mlp(xb), yb).item() * len(xb) for xb, yb in test_dl) / len(X_test)
            accuracy = sum((mlp(xb).argmax(1) == yb).sum().item() for xb, yb in test_dl) / len(X_test)
        print(f"{epoch:3d} {train_loss:.4f} {valid_loss:.4f} {accuracy:.4f}")
    return accuracy


print("metric", fit(16))
