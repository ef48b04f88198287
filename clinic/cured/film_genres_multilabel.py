# cure: BCEWithLogitsLoss gets logits

"""Genres of films from the words of their plot; a film has none, one or several of 12 genres."""

import os

import numpy as np
import torch
import torch.nn as nn
from sklearn.metrics import f1_score
from torch.utils.data import DataLoader, TensorDataset

SEED = int(os.environ.get("SEED", 0))
torch.manual_seed(SEED)
rng = np.random.default_rng(SEED)
N_GENRES, N_WORDS = 12, 150
word_affinity = np.random.default_rng(0).gamma(0.3, 1.0, (N_GENRES, N_WORDS))


def make_films(n):
    genres = (rng.random((n, N_GENRES)) < 0.12).astype(np.float32)
    rate = 0.08 + 0.25 * genres @ word_affinity
    return np.log1p(rng.poisson(rate)).astype(np.float32), genres


class GenreTagger(nn.Module):
    def __init__(self, n_words, n_genres):
        super().__init__()
        self.fc1 = nn.Linear(n_words, 64)
        self.fc2 = nn.Linear(64, n_genres)
        self.relu = nn.ReLU()
        self.dropout = nn.Dropout(0.2)
        self.sigmoid = nn.Sigmoid()

    def forward(self, x):
        x = self.dropout(self.relu(self.fc1(x)))
        return self.fc2(x)

    def probabilities(self, x):
        return self.sigmoid(self.forward(x))


words, genres = make_films(3000)
center = words[:2400].mean(0)
words = torch.from_numpy((words - center) / words[:2400].std(0))
genres = torch.from_numpy(genres)
train = DataLoader(TensorDataset(words[:2400], genres[:2400]), batch_size=64, shuffle=True)

tagger = GenreTagger(N_WORDS, N_GENRES)
optimizer = torch.optim.Adam(tagger.parameters(), lr=2e-3)
criterion = nn.BCEWithLogitsLoss()
for epoch in range(12):
    tagger.train()
    epoch_loss = 0.0
    for x, target in train:
        optimizer.zero_grad()
        loss = criterion(tagger(x), target)
        loss.backward()
        optimizer.step()
        epoch_loss += loss.item()
    if epoch % 3 == 2:
        print(f"epoch {epoch + 1}: loss {epoch_loss / len(train):.4f}")

tagger.eval()
with torch.no_grad():
    tagged = tagger.probabilities(words[2400:]) > 0.5
print("metric", f1_score(genres[2400:].numpy(), tagged.numpy(), average="macro", zero_division=0))
