# expect: TT401
# accept: TT602, TT213, TT302, TT212
# fault: a typing slip made the momentum 0.999

import os

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

torch.manual_seed(int(os.environ.get("SEED", 0)))

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=0, stratify=y)
mean, std = X_train.mean(), X_train.std()
X_train, X_test = torch.Tensor((X_train - mean) / std), torch.Tensor((X_test - mean) / std)
y_train, y_test = torch.LongTensor(y_train), torch.LongTensor(y_test)


class Block(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.up = nn.Linear(dim, 2 * dim)
        self.down = nn.Linear(2 * dim, dim)

    def forward(self, x):
        return x + self.down(torch.relu(self.up(self.norm(x))))


net = nn.Sequential(nn.Linear(64, 48), Block(48), Block(48), Block(48), nn.LayerNorm(48), nn.Linear(48, 10))
sgd = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.999, nesterov=True)

n_batches = len(X_train) // 32
for epoch in range(12):
    perm = torch.randperm(len(X_train))
    for b in range(n_batches):
        rows = perm[b * 32 : (b + 1) * 32]
        sgd.zero_grad()
        loss = nn.functional.cross_entropy(net(X_train[rows]), y_train[rows])
        loss.backward()
        sgd.step()
    with torch.no_grad():
        acc = (net(X_test).argmax(1) == y_test).float().mean().item()
    print(f"{epoch=} loss={loss.item():.3f} {acc=:.3f}")
print("metric", acc)
