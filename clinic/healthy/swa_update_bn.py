# trap: an averaged copy whose batch-norm statistics are recomputed after the run; the rate stays high at the end
# floor: 0.9

import os

import torch
from sklearn.datasets import load_breast_cancer
from torch import nn
from torch.optim.swa_utils import SWALR, AveragedModel, update_bn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(int(os.environ.get("SEED", 0)))
data = load_breast_cancer()
order = torch.randperm(569)
x = torch.tensor(data.data, dtype=torch.float32)[order]
y = torch.tensor(data.target)[order]
x = (x - x[:400].mean(0)) / x[:400].std(0)
loader = DataLoader(TensorDataset(x[:400], y[:400]), batch_size=40, shuffle=True)

model = nn.Sequential(
    nn.Linear(30, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 2)
)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-3)
swa_model = AveragedModel(model)
swa_scheduler = SWALR(optimizer, swa_lr=0.02, anneal_epochs=5)
SWA_START = 25

for epoch in range(50):
    model.train()
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(xb), yb)
        loss.backward()
        optimizer.step()
    if epoch >= SWA_START:
        swa_model.update_parameters(model)
        swa_scheduler.step()
    if epoch % 10 == 0:
        print("epoch", epoch, "loss", loss.item())

update_bn(loader, swa_model)
swa_model.eval()
with torch.no_grad():
    print("metric", (swa_model(x[400:]).argmax(1) == y[400:]).float().mean().item())
