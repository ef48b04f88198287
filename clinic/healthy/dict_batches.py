# trap: nested dict inputs, keyword arguments and dict outputs
# floor: 0.9

import os

import torch
from sklearn.datasets import load_breast_cancer
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Records(Dataset):
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return {"inputs": {"mean": self.x[i, :10], "rest": self.x[i, 10:]}, "target": self.y[i]}


class TwoTower(nn.Module):
    def __init__(self):
        super().__init__()
        self.mean = nn.Linear(10, 16)
        self.rest = nn.Linear(20, 16)
        self.act = nn.ReLU()
        self.out = nn.Linear(32, 1)

    def forward(self, inputs, *, scale=1.0):
        h = torch.cat([self.act(self.mean(inputs["mean"])), self.act(self.rest(inputs["rest"]))], dim=-1)
        return {"logit": self.out(h).squeeze(-1) * scale, "hidden": h}


def main():
    torch.manual_seed(int(os.environ.get("SEED", 0)))
    x, y = load_breast_cancer(return_X_y=True)
    x = torch.tensor((x - x[:400].mean(0)) / x[:400].std(0)).float()
    y = torch.tensor(y).float()
    model = TwoTower()
    opt = torch.optim.Adam(model.parameters(), lr=2e-3)
    loader = DataLoader(Records(x[:400], y[:400]), batch_size=25, shuffle=True)
    for epoch in range(12):
        for batch in loader:
            out = model(batch["inputs"], scale=1.0)
            loss = nn.functional.binary_cross_entropy_with_logits(out["logit"], batch["target"])
            opt.zero_grad()
            loss.backward()
            opt.step()
        print("epoch", epoch, "loss", loss.item())
    with torch.no_grad():
        logit = model({"mean": x[400:, :10], "rest": x[400:, 10:]})["logit"]
    print("metric", ((logit > 0) == (y[400:] > 0.5)).float().mean().item())


if __name__ == "__main__":
    main()
