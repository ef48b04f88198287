# expect: TT603
# accept: TT402, TT403
# fault: the policy's softmax is handed to Categorical as logits, which applies a softmax again

import os

import numpy as np
import torch
import torch.nn as nn
import torch.optim as optim
from torch.distributions import Categorical

seed = int(os.environ.get("SEED", 0))
torch.manual_seed(seed)
np.random.seed(seed)


class Shop:
    """A contextual bandit: show one of eight adverts to a visitor with six traits."""

    n_actions = 8

    def __init__(self):
        self.taste = np.random.RandomState(99).randn(6, self.n_actions)

    def visitors(self, n):
        self.traits = np.random.randn(n, 6).astype(np.float32)
        return torch.from_numpy(self.traits)

    def buy(self, actions):
        utility = self.traits @ self.taste
        best = utility.argmax(1)
        return torch.from_numpy((best == actions.numpy()).astype(np.float32))


class Policy(nn.Module):
    def __init__(self, n_in, n_out):
        super(Policy, self).__init__()
        self.affine1 = nn.Linear(n_in, 64)
        self.affine2 = nn.Linear(64, n_out)

    def forward(self, x):
        x = torch.relu(self.affine1(x))
        action_scores = self.affine2(x)
        return torch.softmax(action_scores, dim=1)


def act(state):
    m = Categorical(logits=policy(state))
    action = m.sample()
    return action, m.log_prob(action)


shop = Shop()
policy = Policy(6, Shop.n_actions)
optimizer = optim.Adam(policy.parameters(), lr=5e-3)
baseline = 0.0
for episode in range(600):
    state = shop.visitors(64)
    action, log_prob = act(state)
    reward = shop.buy(action)
    policy_loss = (-log_prob * (reward - baseline)).mean()
    optimizer.zero_grad()
    policy_loss.backward()
    optimizer.step()
    baseline = 0.9 * baseline + 0.1 * reward.mean().item()
    if episode % 100 == 0:
        print("Episode {}\tAverage reward: {:.2f}".format(episode, baseline))

with torch.no_grad():
    state = shop.visitors(2000)
    shown, _ = act(state)
print("metric", shop.buy(shown).mean().item())
