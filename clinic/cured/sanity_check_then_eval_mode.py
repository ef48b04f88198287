# cure: evaluation switches back to train mode

"""A deep plain network on the digits, monitored from before the first step."""

import os

import torch
from sklearn.datasets import load_digits
from torch import nn


class Experiment:
    def __init__(self, depth=10, width=48, lr=0.05):
        self.model = self.build(depth, width)
        self.loss = nn.CrossEntropyLoss()
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=lr, momentum=0.9)
        digits = load_digits()
        x = torch.tensor(digits.data, dtype=torch.float32)
        self.x = (x - x.mean()) / x.std()
        self.y = torch.tensor(digits.target)
        self.log = []

    @staticmethod
    def build(depth, width):
        layers, n_in = [], 64
        for _ in range(depth):
            layers += [nn.Linear(n_in, width, bias=False), nn.BatchNorm1d(width), nn.ReLU()]
            n_in = width
        return nn.Sequential(*layers, nn.Linear(width, 10))

    def evaluate(self):
        self.model.eval()
        with torch.no_grad():
            accuracy = (self.model(self.x[1400:]).argmax(1) == self.y[1400:]).float().mean().item()
        self.model.train()
        return accuracy

    def step(self, rows):
        self.optimizer.zero_grad()
        loss = self.loss(self.model(self.x[rows]), self.y[rows])
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def run(self, epochs=10):
        self.log.append(self.evaluate())  # sanity check: should be about 10 %
        print("before training: accuracy", self.log[-1])
        for epoch in range(epochs):
            losses = [self.step(rows) for rows in torch.randperm(1400).split(70)]
            self.log.append(self.evaluate())
            print(f"epoch {epoch}: loss {sum(losses) / len(losses):.3f} accuracy {self.log[-1]:.3f}")
        return self.log[-1]


torch.manual_seed(int(os.environ.get("SEED", 0)))
print("metric", Experiment().run())
