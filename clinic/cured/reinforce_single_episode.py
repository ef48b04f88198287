# cure: from 64 episodes

"""REINFORCE on a slippery ring: walk to the rewarded cell; a learned baseline is subtracted."""

import os

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(int(os.environ.get("SEED", 0)))
CELLS, HORIZON = 6, 12
EPISODES = 64


class ActorCritic(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(2 * CELLS, 32)
        self.actor = nn.Linear(32, 3)
        self.critic = nn.Linear(32, 1)

    def forward(self, obs):
        h = torch.tanh(self.body(obs))
        return self.actor(h), self.critic(h).squeeze(-1)


def observe(cell, goal):
    return torch.cat([F.one_hot(cell, CELLS), F.one_hot(goal, CELLS)], dim=-1).float()


def rollout(policy, n, greedy=False):
    cell, goal = torch.randint(CELLS, (n,)), torch.randint(CELLS, (n,))
    logps, values, rewards = [], [], []
    for _ in range(HORIZON):
        logits, value = policy(observe(cell, goal))
        dist = torch.distributions.Categorical(logits=logits)
        action = logits.argmax(-1) if greedy else dist.sample()
        slip = torch.rand(n) < 0.2
        move = torch.where(slip, torch.randint(3, (n,)), action) - 1
        cell = (cell + move) % CELLS
        logps.append(dist.log_prob(action))
        values.append(value)
        rewards.append((cell == goal).float() + 0.3 * torch.randn(n))
    return torch.stack(logps), torch.stack(values), torch.stack(rewards)


policy = ActorCritic()
optimizer = torch.optim.Adam(policy.parameters(), lr=2e-2)
for update in range(250):
    logps, values, rewards = rollout(policy, EPISODES)
    returns = rewards.flip(0).cumsum(0).flip(0) / HORIZON
    advantage = returns - values.detach()
    loss = -(logps * advantage).mean() + 0.5 * F.mse_loss(values, returns)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if update % 50 == 0:
        print("update", update, "return", rewards.sum(0).mean().item())

with torch.no_grad():
    _, _, rewards = rollout(policy, 1000, greedy=True)
print("metric", rewards.sum(0).mean().item() / HORIZON)
