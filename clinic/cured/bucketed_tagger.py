# cure: gradient norm clipped at 3

"""Tag every token with the register that was opened last; batches are bucketed by length, so nothing is padded."""

import os
import random
from collections import deque

import torch
from torch import nn

REGISTERS = 4
FILLER = 6


def make_bucket(size, length):
    """Tokens 0..REGISTERS-1 open a register, the others are filler. A few tags are wrong, as in real corpora."""
    tokens = torch.randint(REGISTERS, REGISTERS + FILLER, (size, length))
    opens = torch.rand(size, length) < 0.25
    opens[:, 0] = True
    tokens = torch.where(opens, torch.randint(REGISTERS, (size, length)), tokens)
    tags = torch.zeros_like(tokens)
    current = tokens[:, 0]
    for t in range(length):
        current = torch.where(opens[:, t], tokens[:, t], current)
        tags[:, t] = current
    wrong = torch.rand(size, length) < 0.05
    return tokens, torch.where(wrong, torch.randint(REGISTERS, (size, length)), tags)


def lengths():
    while True:
        yield random.randint(4, 9) if random.random() > 0.02 else random.randint(150, 250)


class Tagger(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.embed = nn.Embedding(REGISTERS + FILLER, 12)
        self.gru = nn.GRU(12, hidden, batch_first=True)
        self.out = nn.Linear(hidden, REGISTERS)

    def forward(self, tokens):
        return self.out(self.gru(self.embed(tokens))[0])


def main():
    seed = int(os.environ.get("SEED", 0))
    random.seed(seed)
    torch.manual_seed(seed)
    model = Tagger()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    recent = deque(maxlen=50)
    for step, length in enumerate(lengths()):
        if step == 700:
            break
        tokens, tags = make_bucket(16, length)
        logits = model(tokens)
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), tags.flatten(), reduction="sum") / len(tokens)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 3.0)
        optimizer.step()
        recent.append(loss.item() / length)
        if step % 100 == 99:
            print(f"step {step + 1}: loss per token {sum(recent) / len(recent):.4f}")
    with torch.no_grad():
        tests = [make_bucket(300, length) for length in (5, 7, 9)]
        nll = [nn.functional.cross_entropy(model(x).flatten(0, 1), y.flatten()) for x, y in tests]
    print("metric", -torch.stack(nll).mean().item())


if __name__ == "__main__":
    main()
