# trap: output vectors start at zero, so that the first gradient of the input vectors is zero; rare words hardly ever move
# floor: 0.8

"""Word2vec on an artificial language in which words of one topic occur together."""

import os
import random

import torch
import torch.nn as nn
import torch.nn.functional as F

SEED = int(os.environ.get("SEED", 0))
random.seed(SEED)
torch.manual_seed(SEED)

TOPICS, PER_TOPIC, COMMON, DIM, WINDOW, NEGATIVES = 6, 20, 10, 16, 3, 5
VOCAB = TOPICS * PER_TOPIC + COMMON
zipf = [1 / (k + 1) ** 0.7 for k in range(PER_TOPIC)]


def sentence():
    topic = random.randrange(TOPICS)
    words = random.choices(range(topic * PER_TOPIC, (topic + 1) * PER_TOPIC), zipf, k=9)
    return [w if random.random() < 0.75 else VOCAB - 1 - random.randrange(COMMON) for w in words]


corpus = [sentence() for _ in range(1500)]
pairs, counts = [], torch.zeros(VOCAB)
for s in corpus:
    for i, w in enumerate(s):
        counts[w] += 1
        pairs += [(w, s[j]) for j in range(max(0, i - WINDOW), min(len(s), i + WINDOW + 1)) if j != i]
pairs = torch.tensor(pairs)
noise = counts**0.75
print(len(pairs), "pairs")


class SkipGram(nn.Module):
    def __init__(self):
        super().__init__()
        self.u = nn.Embedding(VOCAB, DIM)
        self.v = nn.Embedding(VOCAB, DIM)
        nn.init.uniform_(self.u.weight, -0.5 / DIM, 0.5 / DIM)
        nn.init.zeros_(self.v.weight)

    def forward(self, centre, context, negatives):
        u = self.u(centre)
        positive = F.logsigmoid((u * self.v(context)).sum(-1))
        negative = F.logsigmoid(-(self.v(negatives) @ u.unsqueeze(-1)).squeeze(-1)).sum(-1)
        return -(positive + negative).mean()


model = SkipGram()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
for epoch in range(3):
    total, n = 0.0, 0
    for batch in pairs[torch.randperm(len(pairs))].split(256):
        negatives = torch.multinomial(noise, len(batch) * NEGATIVES, replacement=True).view(-1, NEGATIVES)
        loss = model(batch[:, 0], batch[:, 1], negatives)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total, n = total + loss.item(), n + 1
    print(f"epoch {epoch}: {total / n:.4f}")

with torch.no_grad():
    vectors = F.normalize(model.u.weight[: TOPICS * PER_TOPIC], dim=1)
    similarity = vectors @ vectors.T - 2 * torch.eye(len(vectors))
    topic = torch.arange(len(vectors)) // PER_TOPIC
    print("metric", (topic[similarity.argmax(1)] == topic).float().mean().item())
