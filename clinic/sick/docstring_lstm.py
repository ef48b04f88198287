# expect: TT402
# fault: Adam's learning rate is 1e-7

import inspect
import os
import textwrap

import torch
from torch import nn, optim


def corpus():
    return inspect.getsource(textwrap)[:16000]


class CharLSTM(nn.Module):
    def __init__(self, vocab_size, embed_dim, hidden_dim):
        super(CharLSTM, self).__init__()
        self.embedding = nn.Embedding(vocab_size, embed_dim)
        self.lstm = nn.LSTM(embed_dim, hidden_dim, batch_first=True)
        self.linear = nn.Linear(hidden_dim, vocab_size)

    def forward(self, tokens, state=None):
        out, state = self.lstm(self.embedding(tokens), state)
        return self.linear(out), state


def evaluate(model, ids, seq_len):
    model.eval()
    total, count, state = 0.0, 0, None
    with torch.no_grad():
        for i in range(0, len(ids) - seq_len - 1, seq_len):
            logits, state = model(ids[None, i : i + seq_len], state)
            total += nn.functional.cross_entropy(logits[0], ids[i + 1 : i + seq_len + 1], reduction="sum").item()
            count += seq_len
    model.train()
    return total / count


def train(model, ids, steps, batch_size, seq_len, learning_rate):
    optimizer = optim.Adam(model.parameters(), lr=learning_rate)
    for step in range(steps):
        starts = torch.randint(0, len(ids) - seq_len - 1, (batch_size,)).tolist()
        x = torch.stack([ids[s : s + seq_len] for s in starts])
        y = torch.stack([ids[s + 1 : s + seq_len + 1] for s in starts])
        logits, _ = model(x)
        loss = nn.functional.cross_entropy(logits.reshape(-1, logits.size(-1)), y.reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        if step % 50 == 0:
            print("Step {:4d}  loss {:.4f}".format(step, loss.item()))


def run():
    torch.manual_seed(int(os.environ.get("SEED", 0)))
    text = corpus()
    chars = sorted(set(text))
    stoi = {c: i for i, c in enumerate(chars)}
    ids = torch.tensor([stoi[c] for c in text])
    split = int(0.9 * len(ids))
    model = CharLSTM(len(chars), 24, 64)
    train(model, ids[:split], steps=250, batch_size=24, seq_len=32, learning_rate=1e-7)
    print("metric", -evaluate(model, ids[split:], 32))


run()
