# expect: TT212
# fault: a ReLU on the logits, whose units die

import os

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

torch.manual_seed(int(os.environ.get("SEED", 0)))


class Net(nn.Module):
    def __init__(self, in_size, hidden_size, out_size):
        super().__init__()
        self.linear1 = nn.Linear(in_size, hidden_size)
        self.linear2 = nn.Linear(hidden_size, out_size)
        self.relu = nn.ReLU()
        nn.init.constant_(self.linear2.bias, -0.5)

    def forward(self, xb):
        out = self.relu(self.linear1(xb))
        return self.relu(self.linear2(out))


X, y = load_wine(return_X_y=True)
X = StandardScaler().fit_transform(X)
X_train, X_test, y_train, y_test = train_test_split(
    torch.tensor(X).float(), torch.tensor(y), test_size=0.4, random_state=0
)
model = Net(13, 32, 3)
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
for epoch in range(60):
    for xb, yb in zip(X_train.split(20), y_train.split(20)):
        loss = F.cross_entropy(model(xb), yb)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    if epoch % 10 == 0:
        print("Epoch {}, loss: {:.4f}".format(epoch, loss.item()))
with torch.no_grad():
    print("metric", (model(X_test).argmax(1) == y_test).float().mean().item())
