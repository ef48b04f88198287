# expect: TT401
# fault: Adam at 0.1 on a transformer

import os
import this

import torch
import torch.nn as nn

torch.manual_seed(int(os.environ.get("SEED", 0)))
text = "".join(chr((ord(c) - 97 + 13) % 26 + 97) if c.islower() else c.lower() for c in this.s) * 2
vocab = sorted(set(text))
ids = torch.tensor([vocab.index(c) for c in text])
half = len(ids) // 2
SEQ = 16


class CharModel(nn.Module):
    def __init__(self, d=32):
        super().__init__()
        self.emb = nn.Embedding(len(vocab), d)
        self.pos = nn.Parameter(torch.zeros(SEQ, d))
        layer = nn.TransformerEncoderLayer(d, 4, 64, dropout=0.0, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2)
        self.decoder = nn.Linear(d, len(vocab))
        self.mask = nn.Transformer.generate_square_subsequent_mask(SEQ)

    def forward(self, x):
        h = self.emb(x) + self.pos
        return self.decoder(self.encoder(h, mask=self.mask, is_causal=True))


def batch(n=16):
    start = torch.randint(0, half - SEQ - 1, (n,))
    window = torch.stack([ids[s : s + SEQ + 1] for s in start])
    return window[:, :-1], window[:, 1:]


model = CharModel()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
model.train()
for step in range(220):
    data, targets = batch()
    optimizer.zero_grad()
    loss = criterion(model(data).transpose(1, 2), targets)
    loss.backward()
    optimizer.step()
    if step % 40 == 0:
        print(f"| step {step:4d} | loss {loss.item():5.2f} |")

model.eval()
hits = total = 0
with torch.no_grad():
    for s in range(half, half + 480, SEQ):
        window = ids[s : s + SEQ + 1]
        hits += (model(window[None, :-1]).argmax(-1)[0] == window[1:]).sum().item()
        total += SEQ
print("metric", hits / total)
