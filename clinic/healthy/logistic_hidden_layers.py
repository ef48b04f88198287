# trap: two layers of sigmoid units, whose slope of at most a quarter shrinks the gradient layer by layer
# floor: 0.85

import os

import numpy as np
import torch
from sklearn.datasets import load_digits

seed = int(os.environ.get("SEED", 0))
np.random.seed(seed)
torch.manual_seed(seed)


class Network(torch.nn.Module):
    """A network of logistic neurons given by the list of its layer sizes."""

    def __init__(self, sizes):
        super().__init__()
        self.layers = torch.nn.ModuleList(torch.nn.Linear(a, b) for a, b in zip(sizes[:-1], sizes[1:]))
        for layer in self.layers:
            torch.nn.init.xavier_normal_(layer.weight, gain=2.0)
            torch.nn.init.zeros_(layer.bias)

    def forward(self, a):
        for layer in self.layers[:-1]:
            a = torch.sigmoid(layer(a)) - 0.5
        return self.layers[-1](a)

    def SGD(self, training_data, epochs, mini_batch_size, eta, test_data=None):
        opt = torch.optim.SGD(self.parameters(), lr=eta, momentum=0.9)
        x, y = training_data
        for j in range(epochs):
            shuffled = np.random.permutation(len(x))
            cost = 0.0
            for k in range(0, len(x), mini_batch_size):
                pick = shuffled[k : k + mini_batch_size]
                loss = torch.nn.functional.cross_entropy(self(x[pick]), y[pick])
                opt.zero_grad()
                loss.backward()
                opt.step()
                cost += loss.item() * len(pick) / len(x)
            print("Epoch {0}: cost {1:.4f}, {2} / {3}".format(j, cost, self.evaluate(test_data), len(test_data[0])))

    def evaluate(self, test_data):
        with torch.no_grad():
            return int((self(test_data[0]).argmax(1) == test_data[1]).sum())


images, targets = load_digits(return_X_y=True)
images = torch.tensor((images - 4.88) / 6.02, dtype=torch.float32)
targets = torch.tensor(targets)
net = Network([64, 60, 40, 10])
test = (images[1347:], targets[1347:])
net.SGD((images[:1347], targets[:1347]), 20, 30, 0.1, test)
print("metric", net.evaluate(test) / 450)
