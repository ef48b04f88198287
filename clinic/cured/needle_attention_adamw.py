# cure: weight_decay 0.01

"""Associative recall: after key-value pairs and a query key, name the value of that key."""

import os

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(int(os.environ.get("SEED", 0)))
KEYS, VALUES, PAIRS, DIM = 8, 6, 4, 48


class Attention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x):
        B, T, C = x.shape
        q, k, v = self.qkv(x).view(B, T, 3, self.heads, C // self.heads).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v)
        return self.proj(y.transpose(1, 2).reshape(B, T, C))


class Block(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.ln1, self.ln2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.attn = Attention(dim, heads)
        self.mlp = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))

    def forward(self, x):
        x = x + self.attn(self.ln1(x))
        return x + self.mlp(self.ln2(x))


class Recall(nn.Module):
    def __init__(self):
        super().__init__()
        self.key_emb = nn.Embedding(KEYS, DIM)
        self.value_emb = nn.Embedding(VALUES + 1, DIM)
        self.blocks = nn.ModuleList([Block(DIM, 4) for _ in range(2)])
        self.ln_f = nn.LayerNorm(DIM)
        self.lm_head = nn.Linear(DIM, VALUES)

    def forward(self, keys, values):
        x = self.key_emb(keys) + self.value_emb(values)
        for block in self.blocks:
            x = block(x)
        return self.lm_head(self.ln_f(x[:, -1]))


def get_batch(n):
    keys = torch.rand(n, KEYS).argsort(1)[:, :PAIRS]
    values = torch.randint(VALUES, (n, PAIRS))
    asked = torch.randint(PAIRS, (n, 1))
    keys = torch.cat([keys, keys.gather(1, asked)], 1)
    blank = torch.full((n, 1), VALUES)
    return keys, torch.cat([values, blank], 1), values.gather(1, asked).squeeze(1)


model = Recall()
optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.01)
for it in range(450):
    keys, values, answer = get_batch(48)
    loss = F.cross_entropy(model(keys, values), answer)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    if it % 100 == 0:
        print(f"iter {it}: loss {loss.item():.4f}")

with torch.no_grad():
    keys, values, answer = get_batch(1000)
    print("metric", (model(keys, values).argmax(1) == answer).float().mean().item())
