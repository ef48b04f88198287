# expect: TT407
# accept: TT402
# fault: RMSprop's eps is 1.0 where the gradients are of the order of 1e-3

"""Fitted Q-learning of a windy corridor, from stored random transitions, with a target network."""

import copy
import os
import random

import torch
import torch.nn as nn

SEED = int(os.environ.get("SEED", 0))
random.seed(SEED)
torch.manual_seed(SEED)
N, GAMMA = 9, 0.9


def env_step(pos, action):
    wind = 1 if random.random() < 0.15 else 0
    x, y = pos
    if action == 0:
        x = min(N - 1, x + 1)
    elif action == 1:
        x = max(0, x - 1)
    elif action == 2:
        y = min(2, y + 1)
    else:
        y = max(0, y - 1)
    y = min(2, y + wind)
    done = (x, y) == (N - 1, 0)
    return (x, y), (1.0 if done else -0.02), done


def encode(positions):
    t = torch.tensor(positions)
    return torch.cat([nn.functional.one_hot(t[:, 0], N), nn.functional.one_hot(t[:, 1], 3)], 1).float()


replay = []
for _ in range(3000):
    s = (random.randrange(N), random.randrange(3))
    if s == (N - 1, 0):
        continue
    a = random.randrange(4)
    replay.append((s, a, *env_step(s, a)))
S = encode([r[0] for r in replay])
A = torch.tensor([r[1] for r in replay])
S2 = encode([r[2] for r in replay])
R = torch.tensor([r[3] for r in replay])
D = torch.tensor([float(r[4]) for r in replay])

q = nn.Sequential(nn.Linear(N + 3, 64), nn.ReLU(), nn.Linear(64, 4))
target = copy.deepcopy(q).requires_grad_(False)
optimizer = torch.optim.RMSprop(q.parameters(), lr=2e-3, alpha=0.95, eps=1.0)

for update in range(1200):
    b = torch.randint(len(A), (64,))
    with torch.no_grad():
        y = R[b] + GAMMA * (1 - D[b]) * target(S2[b]).max(1).values
    value = q(S[b]).gather(1, A[b, None]).squeeze(1)
    loss = nn.functional.smooth_l1_loss(value, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if update % 50 == 0:
        target.load_state_dict(q.state_dict())
    if update % 200 == 0:
        print("update", update, "td loss", loss.item(), "mean q", value.mean().item())

total = 0.0
for episode in range(100):
    s = (0, 2)
    for t in range(40):
        with torch.no_grad():
            a = q(encode([s])).argmax().item()
        s, r, done = env_step(s, a)
        total += r
        if done:
            break
print("metric", total / 100)
