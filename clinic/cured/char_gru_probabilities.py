# cure: forward returns logits

"""Next-character model of the source of textwrap."""

import inspect
import os
import textwrap

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(int(os.environ.get("SEED", 0)))
text = inspect.getsource(textwrap)[:16000]
chars = sorted(set(text))
ids = torch.tensor([chars.index(c) for c in text])
split = int(0.9 * len(ids))
train_ids, val_ids = ids[:split], ids[split:]
SEQ, BATCH = 24, 32


class CharGRU(nn.Module):
    def __init__(self, vocab, emb=24, hidden=64):
        super().__init__()
        self.emb = nn.Embedding(vocab, emb)
        self.gru = nn.GRU(emb, hidden, batch_first=True)
        self.out = nn.Linear(hidden, vocab)

    def forward(self, x):
        h, _ = self.gru(self.emb(x))
        return self.out(h)


def get_batch(data):
    starts = torch.randint(0, len(data) - SEQ - 1, (BATCH,))
    windows = torch.stack([data[s : s + SEQ + 1] for s in starts])
    return windows[:, :-1], windows[:, 1:]


model = CharGRU(len(chars))
optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
for i in range(350):
    x, t = get_batch(train_ids)
    out = model(x)
    loss = F.cross_entropy(out.reshape(-1, len(chars)), t.reshape(-1))
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    if i % 70 == 0:
        print(f"iter {i} | loss {loss.item():.4f} | {len(chars)} characters")

model.eval()
with torch.no_grad():
    n = (len(val_ids) - 1) // SEQ * SEQ
    out = model(val_ids[:n].view(-1, SEQ))
    print("metric", (out.argmax(-1) == val_ids[1 : n + 1].view(-1, SEQ)).float().mean().item())
