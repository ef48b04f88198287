# expect: TT211, TT201
# fault: standard normal weights times 5, so nearly every sigmoid sits at 0 or 1

"""network.py, the small feedforward network of the online book, with autograd instead of hand-written backprop."""

import os
import random

import torch
from sklearn.datasets import load_digits

seed = int(os.environ.get("SEED", 0))
torch.manual_seed(seed)
random.seed(seed)


class Network(object):
    def __init__(self, sizes):
        """sizes is the number of neurons in the layers, for example [64, 30, 10]."""
        self.num_layers = len(sizes)
        self.sizes = sizes
        self.biases = [torch.randn(y, 1) for y in sizes[1:]]
        self.weights = [torch.randn(y, x) * 5 for x, y in zip(sizes[:-1], sizes[1:])]
        for p in self.biases + self.weights:
            p.requires_grad_(True)

    def feedforward(self, a):
        for b, w in zip(self.biases, self.weights):
            a = torch.sigmoid(w @ a + b)
        return a

    def SGD(self, training_data, epochs, mini_batch_size, eta, test_data):
        n = len(training_data)
        for j in range(epochs):
            random.shuffle(training_data)
            for k in range(0, n, mini_batch_size):
                self.update_mini_batch(training_data[k : k + mini_batch_size], eta)
            print("Epoch {0}: {1} / {2}".format(j, self.evaluate(test_data), len(test_data)))

    def update_mini_batch(self, mini_batch, eta):
        x = torch.cat([x for x, y in mini_batch], dim=1)
        y = torch.cat([y for x, y in mini_batch], dim=1)
        cost = 0.5 * ((self.feedforward(x) - y) ** 2).sum() / len(mini_batch)
        cost.backward()
        with torch.no_grad():
            for p in self.biases + self.weights:
                p -= eta * p.grad
                p.grad = None

    def evaluate(self, test_data):
        with torch.no_grad():
            return sum(int(self.feedforward(x).argmax() == y.argmax()) for x, y in test_data)


def load_data():
    digits = load_digits()
    inputs = [torch.tensor(image, dtype=torch.float32).reshape(64, 1) / 8 - 1 for image in digits.images]
    results = [torch.eye(10)[:, [t]] for t in digits.target]
    pairs = list(zip(inputs, results))
    return pairs[:1400], pairs[1400:]


training_data, test_data = load_data()
net = Network([64, 40, 10])
net.SGD(training_data, 15, 20, 3.0, test_data)
print("metric", net.evaluate(test_data) / len(test_data))
