# expect: TT101
# accept: TT306, TT302, TT304
# fault: yearly income goes in as 20000 to 150000 among standardised columns

import os

import torch
from torch import nn, optim
from torch.utils.data import DataLoader, Dataset, random_split

torch.manual_seed(int(os.environ.get("SEED", 0)))


class LoanApplications(Dataset):
    """Synthetic applications: will the loan be paid back?"""

    columns = ["age", "debt_ratio", "late_payments", "open_credits", "dependents", "income"]
    scaled = ["age", "debt_ratio", "late_payments", "open_credits", "dependents"]

    def __init__(self, n):
        table = {
            "age": 18 + 50 * torch.rand(n),
            "debt_ratio": torch.rand(n) * 0.8,
            "late_payments": torch.poisson(torch.full((n,), 1.5)),
            "open_credits": torch.poisson(torch.full((n,), 4.0)),
            "dependents": torch.randint(0, 5, (n,)).float(),
            "income": torch.exp(10.8 + 0.5 * torch.randn(n)).clamp(15_000, 200_000),
        }
        standard = {k: (v - v.mean()) / v.std() for k, v in table.items()}
        score = (
            -2.0 * standard["debt_ratio"]
            - 1.5 * standard["late_payments"]
            + 1.0 * standard["income"] * (standard["dependents"] < 0)
            + 1.2 * torch.sin(2 * standard["age"])
            - 0.8 * standard["open_credits"] * standard["debt_ratio"]
        )
        self.label = (score + 0.3 * torch.randn(n) > 0).float()
        self.x = torch.stack([standard[c] if c in self.scaled else table[c] for c in self.columns], dim=1)

    def __len__(self):
        return len(self.label)

    def __getitem__(self, i):
        return self.x[i], self.label[i]


def accuracy(model, loader):
    model.eval()
    right = 0
    with torch.no_grad():
        for x, label in loader:
            right += ((model(x).squeeze(1) > 0) == (label > 0)).sum().item()
    return right / len(loader.dataset)


data = LoanApplications(3000)
train_set, val_set = random_split(data, [2400, 600])
train_loader = DataLoader(train_set, batch_size=64, shuffle=True)
val_loader = DataLoader(val_set, batch_size=300)

model = nn.Sequential(nn.Linear(6, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 1))
criterion = nn.BCEWithLogitsLoss()
optimizer = optim.Adam(model.parameters(), lr=3e-3)
for epoch in range(15):
    model.train()
    for x, label in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x).squeeze(1), label)
        loss.backward()
        optimizer.step()
    if epoch % 3 == 0:
        print("epoch %d loss %.3f validation accuracy %.3f" % (epoch, loss.item(), accuracy(model, val_loader)))
print("metric", accuracy(model, val_loader))
