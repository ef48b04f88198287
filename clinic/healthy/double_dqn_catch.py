# trap: bootstrapped targets: the loss starts low and rises as values grow; the target network gets no gradient
# floor: 0.7

"""Double DQN with soft target updates on 'catch': move a paddle under a falling ball."""

import copy
import os
from collections import deque

import numpy as np
import torch
import torch.nn as nn

H, W = 7, 6


class Catch:
    def __init__(self, rng):
        self.rng = rng

    def reset(self):
        self.ball = [0, int(self.rng.integers(W))]
        self.paddle = int(self.rng.integers(W))
        return self.observe()

    def observe(self):
        screen = np.zeros((2, H, W), dtype=np.float32)
        screen[0, self.ball[0], self.ball[1]] = 1
        screen[1, H - 1, self.paddle] = 1
        return screen

    def step(self, action):
        self.paddle = min(max(self.paddle + action - 1, 0), W - 1)
        self.ball[0] += 1
        done = self.ball[0] == H - 1
        reward = (1.0 if self.ball[1] == self.paddle else -1.0) if done else 0.0
        return self.observe(), reward, done


def evaluate(env, net, episodes=100):
    total = 0.0
    for _ in range(episodes):
        obs, done = env.reset(), False
        while not done:
            with torch.no_grad():
                obs, reward, done = env.step(int(net(torch.from_numpy(obs)[None]).argmax()))
        total += reward
    return total / episodes


def main():
    seed = int(os.environ.get("SEED", 0))
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    env, test_env = Catch(rng), Catch(np.random.default_rng(seed + 1000))
    online = nn.Sequential(
        nn.Flatten(), nn.Linear(2 * H * W, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 3)
    )
    target = copy.deepcopy(online).requires_grad_(False)
    optimizer = torch.optim.Adam(online.parameters(), lr=1e-3)
    replay = deque(maxlen=5000)
    huber = nn.HuberLoss()
    obs = env.reset()
    for t in range(2400):
        epsilon = max(0.05, 1 - t / 1500)
        if rng.random() < epsilon:
            action = int(rng.integers(3))
        else:
            with torch.no_grad():
                action = int(online(torch.from_numpy(obs)[None]).argmax())
        nxt, reward, done = env.step(action)
        replay.append((obs, action, reward, nxt, done))
        obs = env.reset() if done else nxt
        if t < 200 or t % 2:
            continue
        picks = [replay[i] for i in rng.integers(0, len(replay), 64)]
        s, a, r, s2, d = (torch.from_numpy(np.stack(column)) for column in zip(*picks))
        with torch.no_grad():
            best = online(s2).argmax(1, keepdim=True)
            y = r.float() + 0.95 * target(s2).gather(1, best).squeeze(1) * (~d)
        loss = huber(online(s).gather(1, a[:, None]).squeeze(1), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            for pt, po in zip(target.parameters(), online.parameters()):
                pt.mul_(0.98).add_(po, alpha=0.02)
        if t % 400 == 0:
            print("t", t, "loss", round(loss.item(), 4), "return", evaluate(test_env, online, 30))
    print("metric", evaluate(test_env, online))


if __name__ == "__main__":
    main()
