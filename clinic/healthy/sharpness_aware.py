# trap: two forward and backward passes per step, the second at perturbed weights whose gradient is the one that counts
# floor: 0.85

"""Sharpness-aware minimisation (Foret et al. 2021) with 15 % wrong labels in the training set."""

import os

import torch
from sklearn.datasets import load_digits
from torch import nn


class SAM(torch.optim.Optimizer):
    def __init__(self, params, base_optimizer, rho=0.05, **kwargs):
        super().__init__(params, dict(rho=rho, **kwargs))
        self.base_optimizer = base_optimizer(self.param_groups, **kwargs)
        self.param_groups = self.base_optimizer.param_groups

    @torch.no_grad()
    def first_step(self):
        norm = torch.stack([p.grad.norm() for g in self.param_groups for p in g["params"]]).norm()
        for group in self.param_groups:
            scale = group["rho"] / (norm + 1e-12)
            for p in group["params"]:
                self.state[p]["old_p"] = p.clone()
                p.add_(p.grad * scale)
        self.zero_grad()

    @torch.no_grad()
    def second_step(self):
        for group in self.param_groups:
            for p in group["params"]:
                p.copy_(self.state[p]["old_p"])
        self.base_optimizer.step()
        self.zero_grad()


def main():
    torch.manual_seed(int(os.environ.get("SEED", 0)))
    images, labels = load_digits(return_X_y=True)
    x = torch.tensor(images / 8 - 1, dtype=torch.float32)
    y = torch.tensor(labels)
    noisy = y.clone()
    wrong = torch.rand(len(y)) < 0.15
    noisy[wrong] = torch.randint(0, 10, (int(wrong.sum()),))
    model = nn.Sequential(nn.Linear(64, 100), nn.ReLU(), nn.Linear(100, 100), nn.ReLU(), nn.Linear(100, 10))
    criterion = nn.CrossEntropyLoss()
    optimizer = SAM(model.parameters(), torch.optim.SGD, rho=0.1, lr=0.05, momentum=0.9)
    for epoch in range(12):
        total = 0.0
        for idx in torch.randperm(1400).split(50):
            loss = criterion(model(x[idx]), noisy[idx])
            loss.backward()
            optimizer.first_step()
            criterion(model(x[idx]), noisy[idx]).backward()
            optimizer.second_step()
            total += loss.item() / 28
        print(f"epoch {epoch}: loss {total:.4f}")
    with torch.no_grad():
        print("metric", (model(x[1400:]).argmax(1) == y[1400:]).float().mean().item())


if __name__ == "__main__":
    main()
