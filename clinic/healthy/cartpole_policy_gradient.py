# trap: a policy gradient: the loss has no meaning as a level, gradients are mostly noise, and yet returns rise
# floor: 100

"""REINFORCE with a learned value baseline on a cart-pole written out in torch, 16 poles at once."""

import math
import os

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(int(os.environ.get("SEED", 0)))

GRAVITY, FORCE, TAU, HORIZON, ENVS = 9.8, 10.0, 0.02, 120, 16
SCALE = torch.tensor([2.4, 2.0, 0.21, 2.0])


def dynamics(state, action):
    x, x_dot, theta, theta_dot = state.unbind(1)
    force = torch.where(action == 1, FORCE, -FORCE)
    cos, sin = theta.cos(), theta.sin()
    temp = (force + 0.05 * theta_dot**2 * sin) / 1.1
    theta_acc = (GRAVITY * sin - cos * temp) / (0.5 * (4 / 3 - 0.1 * cos**2 / 1.1))
    x_acc = temp - 0.05 * theta_acc * cos / 1.1
    return torch.stack((x + TAU * x_dot, x_dot + TAU * x_acc, theta + TAU * theta_dot, theta_dot + TAU * theta_acc), 1)


class ActorAndBaseline(nn.Module):
    def __init__(self):
        super().__init__()
        self.actor = nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 2))
        self.baseline = nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 1))


net = ActorAndBaseline()
optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)


def play():
    state = 0.1 * torch.rand(ENVS, 4) - 0.05
    alive = torch.ones(ENVS, dtype=torch.bool)
    states, actions, masks = [], [], []
    for _ in range(HORIZON):
        with torch.no_grad():
            action = torch.distributions.Categorical(logits=net.actor(state / SCALE)).sample()
        states.append(state / SCALE)
        actions.append(action)
        masks.append(alive)
        state = dynamics(state, action)
        alive = alive & (state[:, 0].abs() < 2.4) & (state[:, 2].abs() < 12 * 2 * math.pi / 360)
        if not alive.any():
            break
    return torch.stack(states), torch.stack(actions), torch.stack(masks).float()


lengths = []
for update in range(50):
    states, actions, masks = play()
    returns, running = torch.zeros_like(masks), torch.zeros(ENVS)
    for t in reversed(range(len(masks))):
        running = masks[t] + 0.97 * running * masks[t]
        returns[t] = running
    returns = returns / 30
    values = net.baseline(states).squeeze(-1)
    advantage = (returns - values).detach()
    chosen = masks.bool()
    advantage = (advantage - advantage[chosen].mean()) / (advantage[chosen].std() + 1e-6)
    log_prob = torch.distributions.Categorical(logits=net.actor(states)).log_prob(actions)
    policy_loss = -(log_prob * advantage * masks).sum() / masks.sum()
    value_loss = (F.smooth_l1_loss(values, returns, reduction="none") * masks).sum() / masks.sum()
    optimizer.zero_grad()
    (policy_loss + 0.5 * value_loss).backward()
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    optimizer.step()
    lengths.append(masks.sum().item() / ENVS)
    if update % 10 == 0:
        print(f"update {update} mean length {lengths[-1]:.1f} policy loss {policy_loss.item():.4f}")

print("metric", sum(lengths[-10:]) / 10)
