# expect: TT212, TT401
# accept: TT304, TT302
# fault: the warm-up begins at fifty times the learning rate rather than at a fiftieth, which kills the ReLUs

import os

import torch
import torch.nn as nn
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler
from torch.optim.lr_scheduler import LambdaLR

torch.manual_seed(int(os.environ.get("SEED", 0)))
WARMUP = 50


def factor(step: int) -> float:
    return max(1.0, WARMUP / (step + 1))


wine = load_wine()
x = torch.tensor(StandardScaler().fit_transform(wine.data)).float()
y = torch.tensor(wine.target)
order = torch.randperm(len(x), generator=torch.Generator().manual_seed(17))
train, test = order[:118], order[118:]

model = nn.Sequential()
model.add_module("dense1", nn.Linear(13, 48))
model.add_module("relu1", nn.ReLU())
model.add_module("dense2", nn.Linear(48, 48))
model.add_module("relu2", nn.ReLU())
model.add_module("dense3", nn.Linear(48, 48))
model.add_module("relu3", nn.ReLU())
model.add_module("output", nn.Linear(48, 3))

optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
scheduler = LambdaLR(optimizer, factor)
criterion = nn.CrossEntropyLoss()
for step in range(200):
    batch = train[torch.randint(len(train), (24,))]
    loss = criterion(model(x[batch]), y[batch])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    scheduler.step()
    if step % 25 == 0:
        lr = scheduler.get_last_lr()[0]
        print(f"step {step} lr {lr:.4f} loss {loss.item():.4f}")

with torch.no_grad():
    print("metric", (model(x[test]).argmax(dim=1) == y[test]).float().mean().item())
