# expect: TT404
# fault: the hidden layers sit in a plain Python list, so model.parameters() misses them

# regression of a wavy surface
import os
import torch
import torch.nn as nn

torch.manual_seed(int(os.environ.get("SEED", 0)))


class Net(nn.Module):
    def __init__(self, n_in, n_hidden, n_layers):
        super().__init__()
        self.first = nn.Linear(n_in, n_hidden)
        self.hidden = [nn.Linear(n_hidden, n_hidden) for _ in range(n_layers)]
        self.last = nn.Linear(n_hidden, 1)

    def forward(self, x):
        x = torch.tanh(self.first(x))
        for layer in self.hidden:
            x = torch.tanh(layer(x))
        return self.last(x)


def f(x):
    return torch.sin(2.5 * x[:, :1]) * torch.cos(2 * x[:, 1:]) + 0.5 * torch.sin(3 * x[:, :1] * x[:, 1:])


x_train = torch.rand(1000, 2) * 4 - 2
y_train = f(x_train) + 0.05 * torch.randn(1000, 1)
x_test = torch.rand(500, 2) * 4 - 2
y_test = f(x_test)
y_mean, y_std = y_train.mean(), y_train.std()
y_train, y_test = (y_train - y_mean) / y_std, (y_test - y_mean) / y_std

net = Net(2, 24, 3)
print("parameters:", sum(p.numel() for p in net.parameters()))
optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=25, gamma=0.5)
for epoch in range(80):
    perm = torch.randperm(1000)
    for i in range(0, 1000, 50):
        xb, yb = x_train[perm[i : i + 50]], y_train[perm[i : i + 50]]
        loss = ((net(xb) - yb) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    scheduler.step()
    if epoch % 10 == 0:
        print("epoch %d loss %.4f" % (epoch, loss.item()))

with torch.no_grad():
    mse = ((net(x_test) - y_test) ** 2).mean()
print("metric", (1 - mse / y_test.var()).item())
