# trap: one-step policy gradient with eight pulls per step: rewards are nearly all noise, the loss has no trend
# floor: 0.7

import os

import numpy as np
import torch
import torch.nn as nn

seed = int(os.environ.get("SEED", 0))
rng = np.random.default_rng(seed)
torch.manual_seed(seed)

# five advertisements; what a visitor (four features) clicks on depends on an unknown linear preference
K, D = 5, 4
preference = torch.tensor(rng.normal(size=(D, K)), dtype=torch.float32)


def visitors(n):
    return torch.tensor(rng.normal(size=(n, D)), dtype=torch.float32)


def click_probability(x):
    return torch.sigmoid(1.5 * (x @ preference) - 1)


policy = nn.Linear(D, K)
nn.init.zeros_(policy.weight)
nn.init.zeros_(policy.bias)
optimizer = torch.optim.SGD(policy.parameters(), lr=0.25)
baseline, clicks = 0.3, []
for t in range(1500):
    x = visitors(8)
    dist = torch.distributions.Categorical(logits=policy(x))
    arm = dist.sample()
    p = click_probability(x).gather(1, arm[:, None]).squeeze(1)
    reward = (torch.rand(8) < p).float()
    loss = -(dist.log_prob(arm) * (reward - baseline)).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    baseline += 0.01 * (reward.mean().item() - baseline)
    clicks.append(reward.mean().item())
    if t % 250 == 249:
        print(f"after {t + 1} rounds: click rate {np.mean(clicks[-250:]):.3f}")

with torch.no_grad():
    x = visitors(5000)
    p = click_probability(x)
    ours = (policy(x).softmax(1) * p).sum(1).mean()
    best, chance = p.max(1).values.mean(), p.mean()
print("metric", ((ours - chance) / (best - chance)).item())
