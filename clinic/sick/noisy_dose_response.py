# expect: TT305
# accept: TT401, TT304
# fault: batches of one example, whose noise is larger than the signal

import os

import torch
from torch import nn
from torch.utils.data import DataLoader, RandomSampler, TensorDataset

torch.manual_seed(int(os.environ.get("SEED", 0)))


def response(x):
    return torch.sin(1.5 * x[:, 0]) + 0.7 * x[:, 1] * x[:, 2] - 0.5 * x[:, 3]


x = torch.randn(6000, 5)
y = response(x) + 1.5 * torch.randn(6000)
y = (y - y.mean()) / y.std()
x_val = torch.randn(1000, 5)
clean = response(x_val)

batch_size = 1
steps = 1500
dataset = TensorDataset(x, y)
sampler = RandomSampler(dataset, replacement=True, num_samples=steps * batch_size)
loader = DataLoader(dataset, batch_size=batch_size, sampler=sampler)

model = nn.Sequential(nn.Linear(5, 50), nn.Tanh(), nn.Linear(50, 50), nn.Tanh(), nn.Linear(50, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
smoothed = 1.0
for step, (xb, yb) in enumerate(loader):
    loss = (model(xb).squeeze(1) - yb).pow(2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    smoothed += 0.02 * (loss.item() - smoothed)
    if step % 300 == 0:
        print(f"step {step}, smoothed loss {smoothed:.3f}")

with torch.no_grad():
    guess = model(x_val).squeeze(1)
correlation = torch.corrcoef(torch.stack([guess, clean]))[0, 1]
print("metric", correlation.item() ** 2)
