# trap: sparse gradients; the context table starts at zero as in word2vec
# floor: 0.6

"""Skip-gram with negative sampling on synthetic topics, with sparse gradients."""

import os

import torch
import torch.nn as nn

torch.manual_seed(int(os.environ.get("SEED", 0)))
VOCAB, TOPICS, DIM = 600, 6, 16
topic_of = torch.arange(VOCAB) % TOPICS


class SkipGram(nn.Module):
    def __init__(self):
        super().__init__()
        self.center = nn.Embedding(VOCAB, DIM, sparse=True)
        self.context = nn.Embedding(VOCAB, DIM, sparse=True)
        nn.init.uniform_(self.center.weight, -0.5 / DIM, 0.5 / DIM)
        nn.init.zeros_(self.context.weight)

    def forward(self, c, pos, neg):
        v = self.center(c)
        good = (v * self.context(pos)).sum(-1)
        bad = torch.bmm(self.context(neg), v.unsqueeze(2)).squeeze(2)
        return -(nn.functional.logsigmoid(good) + nn.functional.logsigmoid(-bad).sum(1)).mean()


model = SkipGram()
optimizer = torch.optim.SparseAdam(model.parameters(), lr=0.02)
for it in range(400):
    c = torch.randint(0, VOCAB, (128,))
    pos = torch.randint(0, VOCAB // TOPICS, (128,)) * TOPICS + topic_of[c]
    neg = torch.randint(0, VOCAB, (128, 5))
    optimizer.zero_grad()
    loss = model(c, pos, neg)
    loss.backward()
    optimizer.step()
    if it % 100 == 0:
        print(it, loss.item())

with torch.no_grad():
    unit = nn.functional.normalize(model.center.weight)
    similarity = unit @ unit.T - 2 * torch.eye(VOCAB)
    print("metric", (topic_of[similarity.argmax(1)] == topic_of).float().mean().item())
