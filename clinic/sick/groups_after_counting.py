# expect: TT404
# fault: the body's parameter generator is used up by counting, so its group in the optimizer is empty

import os
import random

import torch
import torch.nn as nn

SEED = int(os.environ.get("SEED", 0))
random.seed(SEED)
torch.manual_seed(SEED)

# --- data: is the expression true? e.g. "3+4<8" ------------------------------------------------
ALPHABET = "0123456789+-<>"


def expression():
    a, b = random.randint(0, 9), random.randint(0, 9)
    op, rel, c = random.choice("+-"), random.choice("<>"), random.randint(0, 9)
    left = a + b if op == "+" else a - b
    truth = left < c if rel == "<" else left > c
    return [ALPHABET.index(ch) for ch in f"{a}{op}{b}{rel}{c}"], int(truth)


def dataset(n):
    rows = [expression() for _ in range(n)]
    return torch.tensor([r[0] for r in rows]), torch.tensor([r[1] for r in rows])


# --- model ----------------------------------------------------------------------------------------
class Body(nn.Module):
    def __init__(self, dim=8, hidden=64):
        super().__init__()
        self.embed = nn.Embedding(len(ALPHABET), dim)
        self.fc1 = nn.Linear(5 * dim, hidden)
        self.fc2 = nn.Linear(hidden, 16)

    def forward(self, tokens):
        x = self.embed(tokens).flatten(1)
        return torch.relu(self.fc2(torch.relu(self.fc1(x))))


body = Body()
head = nn.Linear(16, 2)

body_params = body.parameters()
n_body = sum(p.numel() for p in body_params)
print(f"{n_body:,} parameters in the body")
optimizer = torch.optim.Adam(
    [
        {"params": body_params, "lr": 3e-3},
        {"params": head.parameters(), "lr": 6e-3},
    ]
)

# --- training -------------------------------------------------------------------------------------
train_x, train_y = dataset(4000)
test_x, test_y = dataset(1000)
for epoch in range(12):
    shuffled = torch.randperm(len(train_x))
    for chunk in shuffled.chunk(60):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(head(body(train_x[chunk])), train_y[chunk])
        loss.backward()
        optimizer.step()
    print("epoch", epoch, "loss", f"{loss.item():.4f}")

with torch.no_grad():
    print("metric", (head(body(test_x)).argmax(1) == test_y).float().mean().item())
