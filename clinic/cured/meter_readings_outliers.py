# cure: the Huber loss

import os

import torch
import torch.nn as nn
import torch.utils.data as td

torch.manual_seed(int(os.environ.get("SEED", 0)))

# hourly consumption from hour of day, temperature and weekday, with three misread meters
N = 2400
hour = torch.rand(N) * 24
temperature = torch.randn(N)
weekday = (torch.rand(N) < 5 / 7).float()
daily = torch.sin(hour / 24 * 2 * torch.pi) + 0.5 * torch.cos(hour / 12 * 2 * torch.pi)
load = daily * (0.6 + 0.4 * weekday) + 0.4 * temperature**2 - 0.3 * temperature + 0.1 * torch.randn(N)
load = (load - load.mean()) / load.std()

inputs = torch.stack(
    [torch.sin(hour / 24 * 2 * torch.pi), torch.cos(hour / 24 * 2 * torch.pi), temperature, 2 * weekday - 1], dim=1
)
train_in, train_out = inputs[:2000], load[:2000, None].clone()
test_in, test_out = inputs[2000:], load[2000:, None]
misread = torch.randperm(2000)[:3]
train_out[misread] += 100.0

loader = td.DataLoader(td.TensorDataset(train_in, train_out), batch_size=40, shuffle=True)
net = nn.Sequential(nn.Linear(4, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 1))
loss_fn = nn.HuberLoss()
optimizer = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.9)

for epoch in range(20):
    losses = []
    for bx, by in loader:
        optimizer.zero_grad()
        loss = loss_fn(net(bx), by)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    losses = sorted(losses)
    print(f"epoch {epoch}: median loss {losses[len(losses) // 2]:.4f}")

net.eval()
with torch.no_grad():
    r2 = 1 - ((net(test_in) - test_out) ** 2).mean() / test_out.var()
print("metric", r2.item())
