# trap: most of the layers run without a graph in forward and run again in backward (checkpoint_sequential)
# floor: 0.9

import os

import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.checkpoint import checkpoint_sequential

seed = int(os.environ.get("SEED", 0))
torch.manual_seed(seed)
X, y = load_wine(return_X_y=True)
Xa, Xb, ya, yb = train_test_split(X, y, test_size=0.35, random_state=seed, stratify=y)
scaler = StandardScaler().fit(Xa)
Xa, Xb = torch.tensor(scaler.transform(Xa)).float(), torch.tensor(scaler.transform(Xb)).float()
ya, yb = torch.tensor(ya), torch.tensor(yb)


def block(a, b):
    return nn.Sequential(nn.Linear(a, b), nn.LayerNorm(b), nn.SiLU())


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Linear(13, 32)
        self.trunk = nn.Sequential(*[block(32, 32) for _ in range(6)])
        self.head = nn.Linear(32, 3)

    def forward(self, x):
        h = self.stem(x)
        if self.training:
            h = checkpoint_sequential(self.trunk, 3, h, use_reentrant=False)
        else:
            h = self.trunk(h)
        return self.head(h)


net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.9, weight_decay=1e-3)
for epoch in range(40):
    net.train()
    for idx in torch.randperm(len(Xa)).split(16):
        loss = nn.functional.cross_entropy(net(Xa[idx]), ya[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if epoch % 8 == 0:
        net.eval()
        with torch.no_grad():
            print(epoch, nn.functional.cross_entropy(net(Xa), ya).item())
net.eval()
with torch.no_grad():
    print("metric", (net(Xb).argmax(1) == yb).float().mean().item())
