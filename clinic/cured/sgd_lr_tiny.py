# cure: lr 0.1

import os
import sys

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

CONFIG = {"lr": 1e-1, "batch_size": 64, "epochs": 10, "hidden": [128, 64]}


def build_model(hidden):
    layers, width = [], 64
    for h in hidden:
        layers += [nn.Linear(width, h), nn.BatchNorm1d(h), nn.ReLU()]
        width = h
    layers.append(nn.Linear(width, 10))
    return nn.Sequential(*layers)


class Trainer:
    def __init__(self, model, config):
        self.model = model
        self.optimizer = torch.optim.SGD(model.parameters(), lr=config["lr"])
        self.criterion = nn.CrossEntropyLoss()

    def fit(self, loader, epochs):
        for epoch in range(epochs):
            losses = [self.training_step(batch) for batch in loader]
            print(f"epoch={epoch} train_loss={sum(losses) / len(losses):.5f}", file=sys.stdout)

    def training_step(self, batch):
        self.model.train()
        x, y = batch
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.criterion(self.model(x), y)
        loss.backward()
        self.optimizer.step()
        return float(loss)

    @torch.no_grad()
    def score(self, x, y):
        self.model.eval()
        return (self.model(x).argmax(1) == y).float().mean().item()


def main():
    torch.manual_seed(int(os.environ.get("SEED", 0)))
    x, y = load_digits(return_X_y=True)
    x = (torch.tensor(x, dtype=torch.float32) - 4.9) / 6.0
    y = torch.tensor(y)
    loader = DataLoader(TensorDataset(x[:1400], y[:1400]), CONFIG["batch_size"], shuffle=True, drop_last=True)
    trainer = Trainer(build_model(CONFIG["hidden"]), CONFIG)
    trainer.fit(loader, CONFIG["epochs"])
    print("metric", trainer.score(x[1400:], y[1400:]))


if __name__ == "__main__":
    main()
