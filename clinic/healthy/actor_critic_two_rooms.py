# trap: actor-critic with an entropy bonus on one-hot cells: the loss changes its sign and the advantages are noisy
# floor: 0.65

import os
import random

import torch
import torch.nn.functional as F
from torch import nn

SEED = int(os.environ.get("SEED", 0))
random.seed(SEED)
torch.manual_seed(SEED)

MAZE = [
    "#########",
    "#...#...#",
    "#...#...#",
    "#.......#",
    "#...#...#",
    "#...#..G#",
    "#########",
]
CELLS = [(r, c) for r, row in enumerate(MAZE) for c, ch in enumerate(row) if ch != "#"]
INDEX = {cell: i for i, cell in enumerate(CELLS)}
GOAL = next(cell for cell in CELLS if MAZE[cell[0]][cell[1]] == "G")
MOVES = [(-1, 0), (1, 0), (0, -1), (0, 1)]
GAMMA, ROLLOUT, WORKERS = 0.95, 10, 8


class Env:
    def __init__(self):
        self.reset()

    def reset(self):
        self.pos, self.t = random.choice([c for c in CELLS if c != GOAL]), 0

    def step(self, a):
        nxt = (self.pos[0] + MOVES[a][0], self.pos[1] + MOVES[a][1])
        if nxt in INDEX:
            self.pos = nxt
        self.t += 1
        won, timeout = self.pos == GOAL, self.t >= 40
        return 1.0 if won else -0.01, won or timeout


class Agent(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(len(CELLS), 64), nn.ReLU())
        self.pi = nn.Linear(64, 4)
        self.v = nn.Linear(64, 1)

    def forward(self, cells):
        h = self.body(F.one_hot(cells, len(CELLS)).float())
        return self.pi(h), self.v(h).squeeze(-1)


agent, envs = Agent(), [Env() for _ in range(WORKERS)]
optimizer = torch.optim.RMSprop(agent.parameters(), lr=3e-3, alpha=0.99, eps=1e-5)
scores = []
for update in range(500):
    S, A, R, D = [], [], [], []
    for _ in range(ROLLOUT):
        s = torch.tensor([INDEX[e.pos] for e in envs])
        with torch.no_grad():
            logits, _ = agent(s)
        a = torch.multinomial(logits.softmax(-1), 1).squeeze(1)
        rewards, dones = [], []
        for env, act in zip(envs, a.tolist()):
            r, done = env.step(act)
            rewards.append(r)
            dones.append(float(done))
            if done:
                scores.append(0.95**env.t if env.pos == GOAL else 0.0)
                env.reset()
        S.append(s), A.append(a), R.append(torch.tensor(rewards)), D.append(torch.tensor(dones))
    with torch.no_grad():
        _, ret = agent(torch.tensor([INDEX[e.pos] for e in envs]))
    targets = []
    for r, d in zip(reversed(R), reversed(D)):
        ret = r + GAMMA * ret * (1 - d)
        targets.insert(0, ret)
    target, s, a = torch.cat(targets), torch.cat(S), torch.cat(A)
    logits, value = agent(s)
    logp = logits.log_softmax(-1)
    adv = (target - value).detach()
    actor = -(logp.gather(1, a[:, None]).squeeze(1) * adv).mean()
    critic = F.mse_loss(value, target)
    entropy = -(logp.exp() * logp).sum(-1).mean()
    loss = actor + 0.5 * critic - 0.01 * entropy
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if update % 100 == 99:
        print(f"update {update + 1}: loss {loss.item():+.4f} score {sum(scores[-100:]) / 100:.3f}")
print("metric", sum(scores[-200:]) / 200)
