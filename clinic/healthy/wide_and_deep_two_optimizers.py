# trap: two optimizers step after one backward: Adagrad at 0.05 for a wide linear part, Adam at 0.003 for the deep part
# floor: 0.8

"""Wide & deep: crossed categorical features go to a linear part, embeddings to a deep part."""

import os

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(int(os.environ.get("SEED", 0)))
CITIES, JOBS = 15, 12
GENERATOR = torch.randn(CITIES, JOBS)
CITY_Z, JOB_Z = torch.randn(CITIES, 2), torch.randn(JOBS, 2)


def people(n):
    city, job = torch.randint(0, CITIES, (n,)), torch.randint(0, JOBS, (n,))
    age = torch.rand(n)
    logit = 1.2 * GENERATOR[city, job] + 3 * torch.sin(3 * age + CITY_Z[city, 0]) + JOB_Z[job, 1] * (age - 0.5) * 4
    return city, job, (age - 0.5) / 0.29, (torch.rand(n) < torch.sigmoid(2 * logit)).float()


class WideDeep(nn.Module):
    def __init__(self):
        super().__init__()
        self.wide = nn.Embedding(CITIES * JOBS, 1)
        nn.init.zeros_(self.wide.weight)
        self.city, self.job = nn.Embedding(CITIES, 6), nn.Embedding(JOBS, 6)
        self.deep = nn.Sequential(nn.Linear(13, 48), nn.ReLU(), nn.Linear(48, 24), nn.ReLU(), nn.Linear(24, 1))

    def forward(self, city, job, age):
        wide = self.wide(city * JOBS + job)
        deep = self.deep(torch.cat((self.city(city), self.job(job), age[:, None]), 1))
        return (wide + deep).squeeze(1)


train = DataLoader(TensorDataset(*people(8000)), batch_size=128, shuffle=True)
test = people(2000)
model = WideDeep()
opt_wide = torch.optim.Adagrad(model.wide.parameters(), lr=0.05)
opt_deep = torch.optim.Adam([p for n, p in model.named_parameters() if not n.startswith("wide")], lr=3e-3)
for epoch in range(10):
    total = 0.0
    for city, job, age, label in train:
        loss = F.binary_cross_entropy_with_logits(model(city, job, age), label)
        opt_wide.zero_grad()
        opt_deep.zero_grad()
        loss.backward()
        opt_wide.step()
        opt_deep.step()
        total += loss.item() / len(train)
    print(f"epoch {epoch} loss {total:.4f}")

with torch.no_grad():
    city, job, age, label = test
    print("metric", ((model(city, job, age) > 0) == label.bool()).float().mean().item())
