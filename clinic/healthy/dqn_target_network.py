# trap: a moving target makes the loss rise; one-hot states, a model called on one state and on batches
# floor: -0.3

"""Q-learning on a ring of states, with a replay buffer and a target network."""

import collections
import copy
import os
import random

import torch
import torch.nn as nn
import torch.nn.functional as F

seed = int(os.environ.get("SEED", 0))
random.seed(seed)
torch.manual_seed(seed)
N, GOAL = 8, 4
Transition = collections.namedtuple("Transition", "s a r s2 done")


def step(s, a):
    s2 = (s + (1 if a else -1)) % N
    return s2, float(s2 == GOAL), s2 == GOAL


eye = torch.eye(N)
q = nn.Sequential(nn.Linear(N, 32), nn.ReLU(), nn.Linear(32, 2))
target = copy.deepcopy(q)
optimizer = torch.optim.AdamW(q.parameters(), lr=3e-3, amsgrad=True)
memory = collections.deque(maxlen=1000)
s = 0
for t in range(600):
    a = random.randrange(2) if random.random() < max(0.1, 1 - t / 300) else int(q(eye[s]).argmax())
    s2, r, done = step(s, a)
    memory.append(Transition(s, a, r, s2, done))
    s = random.choice([i for i in range(N) if i != GOAL]) if done else s2
    if len(memory) >= 64:
        b = Transition(*zip(*random.sample(memory, 64)))
        value = q(eye[list(b.s)]).gather(1, torch.tensor(b.a)[:, None]).squeeze(1)
        with torch.no_grad():
            best = target(eye[list(b.s2)]).max(1).values * (~torch.tensor(b.done))
        loss = F.smooth_l1_loss(value, torch.tensor(b.r) + 0.9 * best)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_value_(q.parameters(), 100)
        optimizer.step()
    if t % 20 == 0:
        target.load_state_dict(q.state_dict())
    if t % 100 == 99:
        print("step", t + 1, "loss", loss.item())

with torch.no_grad():
    error = max(abs(q(eye[i]).max().item() - 0.9 ** (abs(GOAL - i) - 1)) for i in range(N) if i != GOAL)
print("metric", -error)
