# expect: TT104
# accept: TT304, TT602
# fault: the lines stand in the list module by module, and the loader takes them in that order

"""From which module of the standard library is this line of code?  A bag of words with a small network on top."""

import argparse
import ast
import configparser
import difflib
import inspect
import os
import re
import tarfile
import threading

import torch
import torch.nn as nn
from torch.utils.data import DataLoader

MODULES = [argparse, tarfile, difflib, configparser, threading, ast]


def words(line):
    return re.findall(r"[A-Za-z_]+|\S", line.lower())


def read_lines():
    samples = []
    for label, module in enumerate(MODULES):
        lines = sorted({line.strip() for line in inspect.getsource(module).splitlines()})
        lines = [words(line) for line in lines if len(words(line)) >= 4]
        samples += [(line, label) for line in lines[:520]]
    return samples


def collate(batch):
    flat, offsets, labels = [], [], []
    for line, label in batch:
        offsets.append(len(flat))
        flat += [vocab.get(w, 0) for w in line]
        labels.append(label)
    return torch.tensor(flat), torch.tensor(offsets), torch.tensor(labels)


class BagOfWords(nn.Module):
    def __init__(self, n_words, n_classes, dim=32, hidden=64):
        super().__init__()
        self.bag = nn.EmbeddingBag(n_words, dim, mode="mean")
        self.fc1 = nn.Linear(dim, hidden)
        self.fc2 = nn.Linear(hidden, n_classes)

    def forward(self, flat, offsets):
        return self.fc2(torch.relu(self.fc1(self.bag(flat, offsets))))


def accuracy(model, loader):
    model.eval()
    right = total = 0
    with torch.no_grad():
        for flat, offsets, labels in loader:
            right += (model(flat, offsets).argmax(1) == labels).sum().item()
            total += len(labels)
    model.train()
    return right / total


torch.manual_seed(int(os.environ.get("SEED", 0)))
samples = read_lines()
held_out = torch.rand(len(samples)) < 0.2
train = [s for s, out in zip(samples, held_out) if not out]
test = [s for s, out in zip(samples, held_out) if out]
vocab = {w: i + 1 for i, w in enumerate(sorted({w for line, _ in train for w in line}))}
train_loader = DataLoader(train, batch_size=16, shuffle=False, collate_fn=collate)
test_loader = DataLoader(test, batch_size=200, collate_fn=collate)

model = BagOfWords(len(vocab) + 1, len(MODULES))
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
loss_fn = nn.CrossEntropyLoss()
for epoch in range(1, 7):
    losses = []
    for flat, offsets, labels in train_loader:
        optimizer.zero_grad()
        loss = loss_fn(model(flat, offsets), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    print(f"epoch {epoch}: loss {sum(losses) / len(losses):.3f}, held-out accuracy {accuracy(model, test_loader):.3f}")
print("metric", accuracy(model, test_loader))
