# cure: a small number is added to the std

"""A policy learns to walk a corridor with a hidden door order; advantages are normalised within the batch."""

import os

import torch
import torch.nn as nn

torch.manual_seed(int(os.environ.get("SEED", 0)))
LENGTH, DOORS, EPISODES = 6, 3, 32
SECRET = torch.tensor([2, 0, 1, 1, 2, 0])


class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.room = nn.Embedding(LENGTH, 16)
        self.net = nn.Sequential(nn.Linear(16, 32), nn.Tanh(), nn.Linear(32, DOORS))

    def forward(self, room):
        return torch.log_softmax(self.net(self.room(room)), dim=-1)


def rollout(policy, n):
    """Every room has one right door; the reward counts the right ones."""
    rooms = torch.arange(LENGTH).expand(n, LENGTH)
    log_p = policy(rooms)
    doors = (log_p.exp().cumsum(-1)[..., :-1] < torch.rand(n, LENGTH, 1)).sum(-1)
    reward = (doors == SECRET).float().sum(dim=1)
    chosen = log_p.gather(-1, doors.unsqueeze(-1)).squeeze(-1)
    entropy = -(log_p.exp() * log_p).sum(-1).mean()
    return chosen.sum(dim=1), entropy, reward


policy = Policy()
optimizer = torch.optim.Adam(policy.parameters(), lr=5e-3)
for iteration in range(500):
    log_prob, entropy, reward = rollout(policy, EPISODES)
    advantage = (reward - reward.mean()) / (reward.std() + 1e-6)
    loss = -(log_prob * advantage).mean() - 0.003 * entropy
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if iteration % 100 == 0:
        print(f"iteration {iteration} mean reward {reward.mean().item():.2f}")

with torch.no_grad():
    best = policy.net(policy.room.weight)
    finite = bool(torch.isfinite(best).all())
    print("metric", (best.argmax(1) == SECRET).float().mean().item() if finite else float("nan"))
