# trap: LSTM gates near 0 and 1 by purpose; clipping every step
# floor: -3.0

import os
import textwrap

import torch
import torch.nn as nn

torch.manual_seed(int(os.environ.get("SEED", 0)))
with open(textwrap.__file__, encoding="utf-8") as f:
    text = f.read()
all_chars = sorted(set(text))
char_to_ix = {ch: i for i, ch in enumerate(all_chars)}
data = torch.tensor([char_to_ix[ch] for ch in text])
train, valid = data[:-2000], data[-2000:]
seq_length, batch_size = 32, 16


class CharRNN(nn.Module):
    def __init__(self, n_chars, hidden_size=64):
        super().__init__()
        self.encoder = nn.Embedding(n_chars, 24)
        self.lstm = nn.LSTM(24, hidden_size)
        self.decoder = nn.Linear(hidden_size, n_chars)

    def forward(self, x, hidden=None):
        out, hidden = self.lstm(self.encoder(x), hidden)
        return self.decoder(out), hidden


def get_batch(source):
    start = torch.randint(0, len(source) - seq_length - 1, (batch_size,))
    chunk = torch.stack([source[s : s + seq_length + 1] for s in start], dim=1)
    return chunk[:-1], chunk[1:]


rnn = CharRNN(len(all_chars))
optimizer = torch.optim.Adam(rnn.parameters(), lr=5e-3)
criterion = nn.CrossEntropyLoss()
for it in range(1, 221):
    x, t = get_batch(train)
    optimizer.zero_grad()
    out, _ = rnn(x)
    loss = criterion(out.flatten(0, 1), t.flatten())
    loss.backward()
    nn.utils.clip_grad_norm_(rnn.parameters(), 1.0)
    optimizer.step()
    if it % 40 == 0:
        print(f"iter {it}, loss {loss.item():.4f}")
rnn.eval()
with torch.no_grad():
    x, t = valid[:-1, None], valid[1:, None]
    out, _ = rnn(x)
    print("metric", -criterion(out.flatten(0, 1), t.flatten()).item())
