# trap: the loss of a policy gradient has no level and may change sign; one-hot inputs, batch of one
# floor: 0.5

"""REINFORCE on a corridor: walk right to the goal."""

import os

import torch
import torch.nn as nn
from torch.distributions import Categorical

torch.manual_seed(int(os.environ.get("SEED", 0)))
LENGTH, HORIZON = 6, 12


class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.affine1 = nn.Linear(LENGTH, 32)
        self.affine2 = nn.Linear(32, 2)

    def forward(self, x):
        return torch.softmax(self.affine2(torch.relu(self.affine1(x))), dim=-1)


def rollout(policy):
    position, log_probs, rewards = 0, [], []
    for _ in range(HORIZON):
        state = torch.zeros(LENGTH)
        state[position] = 1.0
        dist = Categorical(policy(state))
        action = dist.sample()
        log_probs.append(dist.log_prob(action))
        position = max(0, position + (1 if action.item() == 1 else -1))
        done = position == LENGTH - 1
        rewards.append(1.0 if done else -0.05)
        if done:
            break
    return log_probs, rewards


policy = Policy()
optimizer = torch.optim.Adam(policy.parameters(), lr=1e-2)
baseline, history = 0.0, []
for episode in range(300):
    log_probs, rewards = rollout(policy)
    R, returns = 0.0, []
    for r in reversed(rewards):
        R = r + 0.97 * R
        returns.insert(0, R)
    advantages = torch.tensor(returns) - baseline
    baseline += 0.05 * (returns[0] - baseline)
    loss = -(torch.stack(log_probs) * advantages).sum()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    history.append(sum(rewards))
    if episode % 50 == 0:
        print(f"Episode {episode}\tLast reward: {history[-1]:.2f}")
print("metric", sum(history[-50:]) / 50)
