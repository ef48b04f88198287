# expect: TT211
# accept: TT302, TT301
# fault: the codes are tanh of 500 times the normalised features, which leaves them on the flat ends

"""Deep hashing on the digits: sixteen-bit codes in which images of one class lie close to each other."""

import os

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

BITS = 16
BETA = 500.0


class HashNet(nn.Module):
    def __init__(self, bits, beta):
        super().__init__()
        self.features = nn.Sequential(
            nn.Linear(64, 96),
            nn.ReLU(),
            nn.Linear(96, 96),
            nn.ReLU(),
        )
        self.hash_layer = nn.Linear(96, bits)
        self.norm = nn.LayerNorm(bits, elementwise_affine=False)
        self.activation = nn.Tanh()
        self.beta = beta
        self.classifier = nn.Linear(bits, 10)

    def encode(self, x):
        z = self.norm(self.hash_layer(self.features(x)))
        return self.activation(self.beta * z)

    def forward(self, x):
        return self.classifier(self.encode(x))


def mean_average_precision(queries, query_labels, base, base_labels):
    order = (-(queries.sign() @ base.sign().t())).argsort(dim=1, stable=True)
    hits = (base_labels[order] == query_labels[:, None]).float()
    rank = torch.arange(1, hits.shape[1] + 1)
    precision = hits.cumsum(1) / rank
    return ((precision * hits).sum(1) / hits.sum(1)).mean().item()


def train(model, x, y, iterations=420, batch=64):
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for i in range(1, iterations + 1):
        idx = torch.randint(0, len(x), (batch,))
        loss = F.cross_entropy(model(x[idx]), y[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if i % 70 == 0:
            print(f"iteration {i}: loss {loss.item():.4f}")


def main():
    seed = int(os.environ.get("SEED", 0))
    torch.manual_seed(seed)
    np.random.seed(seed)
    digits = load_digits()
    keep = np.random.permutation(len(digits.data))
    x = torch.tensor(digits.data[keep] / 8 - 1, dtype=torch.float32)
    y = torch.tensor(digits.target[keep])
    model = HashNet(BITS, BETA)
    train(model, x[:1400], y[:1400])
    model.eval()
    with torch.no_grad():
        base, queries = model.encode(x[:1400]), model.encode(x[1400:])
    print("metric", mean_average_precision(queries, y[1400:], base, y[:1400]))


if __name__ == "__main__":
    main()
