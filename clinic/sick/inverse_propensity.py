# expect: TT304
# accept: TT302, TT401, TT602, TT303, TT601
# fault: samples are weighted by 1 / propensity without a bound; a few weights are in the hundreds

"""Off-policy reward model: logged actions, inverse propensity weights."""

import os
from typing import Tuple

import numpy as np
import torch
from torch import nn


class LoggedBandit:
    def __init__(self, seed: int, n: int = 3000, n_actions: int = 4, d: int = 6) -> None:
        rng = np.random.default_rng(seed)
        self.theta = rng.normal(size=(n_actions, d))
        self.context = rng.normal(size=(n, d)).astype(np.float32)
        preference = self.context @ rng.normal(size=(d, n_actions)) * 1.0
        policy = np.exp(preference - preference.max(1, keepdims=True))
        policy /= policy.sum(1, keepdims=True)
        self.action = np.array([rng.choice(n_actions, p=p) for p in policy])
        self.propensity = policy[np.arange(n), self.action].astype(np.float32)
        self.reward = self.expected(self.context, self.action) + 0.3 * rng.normal(size=n).astype(np.float32)

    def expected(self, context: np.ndarray, action: np.ndarray) -> np.ndarray:
        return np.tanh((context * self.theta[action]).sum(1) / 1.5).astype(np.float32)


def one_hot(action: np.ndarray) -> torch.Tensor:
    return nn.functional.one_hot(torch.from_numpy(action), 4).float()


def evaluate(model: nn.Module, log: LoggedBandit, seed: int) -> float:
    rng = np.random.default_rng(seed + 1000)
    context = rng.normal(size=(2000, 6)).astype(np.float32)
    action = rng.integers(4, size=2000)
    truth = torch.from_numpy(log.expected(context, action))
    with torch.no_grad():
        guess = model(torch.cat([torch.from_numpy(context), one_hot(action)], 1)).squeeze(1)
    return 1 - ((guess - truth).square().mean() / truth.var()).item()


def main() -> Tuple[float, float]:
    seed = int(os.environ.get("SEED", 0))
    torch.manual_seed(seed)
    log = LoggedBandit(seed)
    x = torch.cat([torch.from_numpy(log.context), one_hot(log.action)], 1)
    y = torch.from_numpy(log.reward)
    weight = torch.from_numpy(1 / log.propensity)
    model = nn.Sequential(nn.Linear(10, 64), nn.ELU(), nn.Linear(64, 64), nn.ELU(), nn.Linear(64, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    for epoch in range(24):
        for rows in torch.randperm(len(x)).split(50):
            error = model(x[rows]).squeeze(1) - y[rows]
            loss = (weight[rows] * error.square()).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if epoch % 6 == 5:
            print(f"epoch {epoch + 1}: weighted error {loss.item():.4f}, largest weight {weight.max().item():.0f}")
    return evaluate(model, log, seed), weight.max().item()


if __name__ == "__main__":
    r2, _ = main()
    print("metric", r2)
