# trap: four models in one script, each with another activation, trained in turn on the same target
# floor: 0.9

import os

import torch
from torch import nn

seed = int(os.environ.get("SEED", 0))

torch.manual_seed(seed)
x = torch.rand(2000, 2) * 2 - 1
z = torch.sin(3 * x[:, 0]) * x[:, 1] + torch.exp(-3 * (x**2).sum(1))
z = ((z - z.mean()) / z.std()).unsqueeze(1)
x = x / x.std()
train_x, train_z, test_x, test_z = x[:1600], z[:1600], x[1600:], z[1600:]

results = {}
for activation in (nn.LeakyReLU, nn.GELU, nn.SiLU, nn.Mish):
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(2, 48), activation(), nn.Linear(48, 48), activation(), nn.Linear(48, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=20)
    for epoch in range(20):
        for batch in torch.randperm(1600).split(80):
            loss = nn.functional.mse_loss(model(train_x[batch]), train_z[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        scheduler.step()
    with torch.no_grad():
        test_loss = nn.functional.mse_loss(model(test_x), test_z).item()
    results[activation.__name__] = 1 - test_loss / test_z.var().item()
    print(f"{activation.__name__:10s} final train loss {loss.item():.5f}  test R2 {results[activation.__name__]:.4f}")

print("best:", max(results, key=results.get))
print("metric", min(results.values()))
