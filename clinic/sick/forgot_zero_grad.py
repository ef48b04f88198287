# expect: TT405
# accept: TT602, TT401, TT302
# fault: gradients are never cleared, so the step grows with time

import os

import torch
from sklearn.datasets import load_diabetes
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(int(os.environ.get("SEED", 0)))
X, y = load_diabetes(return_X_y=True)
X = torch.tensor(X / X.std(axis=0)).float()
y = torch.tensor((y - y.mean()) / y.std()).float().view(-1, 1)
train_loader = DataLoader(TensorDataset(X[:342], y[:342]), batch_size=19, shuffle=True)

model = nn.Sequential(nn.Linear(10, 50), nn.ReLU(), nn.Linear(50, 1))
loss_function = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.02)

for epoch in range(30):
    current_loss = 0.0
    for i, (inputs, targets) in enumerate(train_loader):
        outputs = model(inputs)
        loss = loss_function(outputs, targets)
        loss.backward()
        optimizer.step()
        current_loss += loss.item()
    if epoch % 5 == 0:
        print(f"Loss after epoch {epoch}: {current_loss / len(train_loader):.3f}")

with torch.no_grad():
    print("metric", -loss_function(model(X[342:]), y[342:]).item())
