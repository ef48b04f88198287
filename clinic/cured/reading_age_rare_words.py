# cure: Adam with a rate of 0.003

"""Reading age of a sentence from a sum of word vectors. Rare words make a text hard."""

import os

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

VOCAB, LENGTH = 1000, 16
torch.manual_seed(int(os.environ.get("SEED", 0)))

rank = torch.arange(1, VOCAB + 1).float()
frequency = 1 / rank
difficulty = torch.randn(VOCAB) * (rank / 100).sqrt()


def corpus(n):
    words = torch.multinomial(frequency, n * LENGTH, replacement=True).view(n, LENGTH)
    age = difficulty[words].sum(1)
    return TensorDataset(words, (age / 4.7 + 0.05 * torch.randn(n)).float())


class Reader(nn.Module):
    def __init__(self, dim=8):
        super().__init__()
        self.embed = nn.Embedding(VOCAB, dim)
        self.out = nn.Linear(dim, 1)
        nn.init.normal_(self.embed.weight, std=0.1)

    def forward(self, words):
        return self.out(self.embed(words).sum(1)).squeeze(1)


def r_squared(model, data):
    words, age = data.tensors
    with torch.no_grad():
        return 1 - ((model(words) - age).square().mean() / age.var()).item()


def run():
    train, test = corpus(12000), corpus(2000)
    loader = DataLoader(train, batch_size=64, shuffle=True)
    model = Reader()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for epoch in range(5):
        mean = 0.0
        for words, age in loader:
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(words), age)
            loss.backward()
            optimizer.step()
            mean += loss.item() / len(loader)
        print(f"epoch {epoch + 1}: loss {mean:.3f}")
    print("metric", r_squared(model, test))


if __name__ == "__main__":
    run()
