# expect: TT401, TT212
# accept: TT302, TT304
# fault: SGD's learning rate of 1.5 throws the convolutions to where no ReLU fires

"""Morse letters in noise, read by a 1-d convolutional net."""

import os

import numpy as np
import torch
import torch.nn as nn

MORSE = {"A": ".-", "D": "-..", "G": "--.", "K": "-.-", "R": ".-.", "S": "...", "U": "..-", "W": ".--"}


def keyed(letter, rng, length=40):
    """A dot is two samples long, a dash five; strokes are two samples apart."""
    wave = np.zeros(length)
    at = rng.integers(0, 16)
    for stroke in MORSE[letter]:
        n = 2 if stroke == "." else 5
        wave[at : at + n] = 1
        at += n + 2
    return wave + rng.normal(0, 0.2, length)


def dataset(n, rng):
    labels = rng.integers(0, len(MORSE), n)
    letters = list(MORSE)
    waves = np.stack([keyed(letters[k], rng) for k in labels])
    return torch.tensor((waves - 0.25) / 0.48, dtype=torch.float32).unsqueeze(1), torch.tensor(labels)


def build():
    return nn.Sequential(
        nn.Conv1d(1, 16, 7, padding=3),
        nn.ReLU(),
        nn.MaxPool1d(2),
        nn.Conv1d(16, 32, 7, padding=3),
        nn.ReLU(),
        nn.MaxPool1d(2),
        nn.Conv1d(32, 32, 5, padding=2),
        nn.ReLU(),
        nn.AdaptiveMaxPool1d(1),
        nn.Flatten(),
        nn.Linear(32, len(MORSE)),
    )


def fit(model, waves, labels, rng, epochs=10, batch_size=32, lr=1.5):
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    for epoch in range(epochs):
        order = rng.permutation(len(waves))
        losses = []
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            loss = nn.functional.cross_entropy(model(waves[batch]), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        print("epoch", epoch, "mean loss", np.mean(losses).round(4))


if __name__ == "__main__":
    seed = int(os.environ.get("SEED", 0))
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    model = build()
    fit(model, *dataset(1500, rng), rng)
    waves, labels = dataset(600, rng)
    with torch.no_grad():
        print("metric", (model(waves).argmax(1) == labels).float().mean().item())
