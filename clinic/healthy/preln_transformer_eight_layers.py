# trap: sixteen residual branches in a row; the stream grows from layer to layer, which the last norm takes back
# floor: 0.95

"""Sort short sequences with a pre-LN encoder of eight layers (each position predicts the symbol of that rank)."""

import os

import torch
import torch.nn as nn
import torch.nn.functional as F

VOCAB, LENGTH, DIM, HEADS, LAYERS = 8, 8, 32, 4, 8


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(DIM, 3 * DIM)
        self.proj = nn.Linear(DIM, DIM)

    def forward(self, x):
        b, n, _ = x.shape
        q, k, v = self.qkv(x).view(b, n, 3, HEADS, DIM // HEADS).permute(2, 0, 3, 1, 4)
        out = F.scaled_dot_product_attention(q, k, v)
        return self.proj(out.transpose(1, 2).reshape(b, n, DIM))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln1, self.ln2 = nn.LayerNorm(DIM), nn.LayerNorm(DIM)
        self.attn = Attention()
        self.mlp = nn.Sequential(nn.Linear(DIM, 2 * DIM), nn.GELU(), nn.Linear(2 * DIM, DIM))

    def forward(self, x):
        x = x + self.attn(self.ln1(x))
        return x + self.mlp(self.ln2(x))


class Sorter(nn.Module):
    def __init__(self):
        super().__init__()
        self.tok, self.pos = nn.Embedding(VOCAB, DIM), nn.Embedding(LENGTH, DIM)
        self.blocks = nn.Sequential(*[Block() for _ in range(LAYERS)])
        self.ln_f = nn.LayerNorm(DIM)
        self.head = nn.Linear(DIM, VOCAB, bias=False)

    def forward(self, idx):
        x = self.tok(idx) + self.pos(torch.arange(LENGTH))
        return self.head(self.ln_f(self.blocks(x)))


def main():
    torch.manual_seed(int(os.environ.get("SEED", 0)))
    model = Sorter()
    print(sum(p.numel() for p in model.parameters()), "parameters")
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.01)
    steps = 210
    warm = torch.optim.lr_scheduler.LinearLR(optimizer, 0.05, total_iters=20)
    for step in range(steps):
        x = torch.randint(0, VOCAB, (40, LENGTH))
        logits = model(x)
        loss = F.cross_entropy(logits.flatten(0, 1), x.sort(dim=1).values.flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        warm.step()
        if step % 40 == 0:
            print(f"step {step}: loss {loss.item():.4f}")
    model.eval()
    with torch.no_grad():
        x = torch.randint(0, VOCAB, (500, LENGTH))
        print("metric", (model(x).argmax(-1) == x.sort(dim=1).values).float().mean().item())


if __name__ == "__main__":
    main()
