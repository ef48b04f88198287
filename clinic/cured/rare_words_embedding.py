# cure: Adam's step does not depend on how often a word occurs

"""Topic of a short text from its rare words; frequent words carry nothing."""

import os

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

VOCAB, TOPICS, LENGTH = 600, 6, 20


class Texts(Dataset):
    def __init__(self, n, gen):
        rank = torch.arange(1, VOCAB + 1).float()
        frequency = 1 / rank
        self.topic = torch.randint(TOPICS, (n,), generator=gen)
        self.tokens = torch.multinomial(frequency, n * LENGTH, replacement=True, generator=gen).view(n, LENGTH)
        # three tokens of each text come from the topic's own share of the rare words
        own = torch.randint(60, VOCAB // TOPICS, (n, 3), generator=gen) * TOPICS
        self.tokens[:, :3] = own + self.topic[:, None]

    def __len__(self):
        return len(self.topic)

    def __getitem__(self, i):
        return self.tokens[i], self.topic[i]


class BagOfEmbeddings(nn.Module):
    def __init__(self, dim=16):
        super().__init__()
        self.bag = nn.EmbeddingBag(VOCAB, dim, mode="mean")
        self.out = nn.Linear(dim, TOPICS)

    def forward(self, tokens):
        return self.out(self.bag(tokens))


seed = int(os.environ.get("SEED", 0))
torch.manual_seed(seed)
gen = torch.Generator().manual_seed(seed)
train = DataLoader(Texts(3000, gen), batch_size=50, shuffle=True)
test = Texts(1000, gen)

model = BagOfEmbeddings()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
criterion = nn.CrossEntropyLoss()
for epoch in range(15):
    for tokens, topic in train:
        optimizer.zero_grad()
        loss = criterion(model(tokens), topic)
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch:2d}  loss {loss.item():.3f}")

with torch.no_grad():
    predicted = model(test.tokens).argmax(1)
print("metric", (predicted == test.topic).float().mean().item())
