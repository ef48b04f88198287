# expect: TT503
# fault: model.train() is called once, so dropout is off from the first validation on

import os

import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(int(os.environ.get("SEED", 0)))

# 400 gene-expression profiles, 60 genes, few of which matter
genes, patients = 60, 400
relevant = torch.randn(genes, generator=torch.Generator().manual_seed(8)) * (torch.arange(genes) < 14)
expression = torch.randn(patients + 2000, genes)
risk = expression @ relevant / relevant.norm()
relapse = ((risk + 0.35 * torch.randn(len(risk))) > 0).float()
train_data = TensorDataset(expression[:patients], relapse[:patients])
test_x, test_y = expression[patients:], relapse[patients:]
loader = DataLoader(train_data, batch_size=40, shuffle=True)

model = nn.Sequential(
    nn.Dropout(0.2),
    nn.Linear(genes, 256),
    nn.ReLU(),
    nn.Dropout(0.7),
    nn.Linear(256, 128),
    nn.ReLU(),
    nn.Dropout(0.7),
    nn.Linear(128, 1),
)
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)


def validate():
    model.eval()
    with torch.no_grad():
        logits = model(test_x).squeeze(1)
        return -criterion(logits, test_y).item()


model.train()
for epoch in range(50):
    for x, y in loader:
        optimizer.zero_grad()
        loss = criterion(model(x).squeeze(1), y)
        loss.backward()
        optimizer.step()
    if epoch % 5 == 0:
        print(f"epoch {epoch:02d} train loss {loss.item():.3f} validation log-likelihood {validate():.3f}")

print("metric", validate())
