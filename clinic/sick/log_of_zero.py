# expect: TT601, TT303
# fault: log of a softmax that underflows to 0

import os

import torch
from sklearn.datasets import load_digits

torch.manual_seed(int(os.environ.get("SEED", 0)))

bunch = load_digits()
x = torch.tensor(bunch.data, dtype=torch.float32) / 8 - 1
y = torch.nn.functional.one_hot(torch.tensor(bunch.target), 10).float()
x_train, y_train, x_test, y_test = x[:1400], y[:1400], x[1400:], y[1400:]


class Mlp(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.lin1 = torch.nn.Linear(64, 100)
        self.lin2 = torch.nn.Linear(100, 10)

    def forward(self, x):
        return self.lin2(self.lin1(x).relu()) / 0.005


def cross_entropy(logits, onehot):
    p = torch.softmax(logits, dim=1)
    return -(onehot * torch.log(p)).sum(1).mean()


model = Mlp()
optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
for epoch in range(10):
    for idx in torch.randperm(len(x_train)).split(28):
        loss = cross_entropy(model(x_train[idx]), y_train[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    acc = (model(x_test).argmax(1) == y_test.argmax(1)).float().mean()
    print("epoch %2d loss %.4f acc %.3f" % (epoch, loss.item(), acc.item()))
print("metric", acc.item())
