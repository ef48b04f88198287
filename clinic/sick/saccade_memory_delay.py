# expect: TT301
# accept: TT403
# fault: a plain tanh RNN at its default initialisation, whose state and gradient fade over the 60 steps of the delay

"""Memory-guided saccade, as monkeys do it: a light flashes at some angle; after a delay look to where it was."""

import math
import os

import torch
import torch.nn as nn

FLASH, DELAY, GO = 3, 60, 1


def trials(n):
    angle = 2 * math.pi * torch.rand(n)
    where = torch.stack([angle.cos(), angle.sin()], dim=-1)
    x = 0.05 * torch.randn(FLASH + DELAY + GO, n, 3)
    x[:FLASH, :, :2] += where
    x[-GO:, :, 2] += 1.0
    return x, where


class Cortex(nn.Module):
    def __init__(self, neurons=64):
        super().__init__()
        self.rnn = nn.RNN(input_size=3, hidden_size=neurons, nonlinearity="tanh")
        self.eye_muscles = nn.Linear(neurons, 2)
        nn.init.xavier_uniform_(self.rnn.weight_ih_l0)

    def forward(self, x):
        activity, _ = self.rnn(x)
        return self.eye_muscles(activity[-1])


def main(n_steps=400, n_trials=32):
    torch.manual_seed(int(os.environ.get("SEED", 0)))
    cortex = Cortex()
    optimizer = torch.optim.Adam(cortex.parameters(), lr=1e-3)
    for step in range(n_steps):
        x, where = trials(n_trials)
        loss = nn.functional.mse_loss(cortex(x), where)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(cortex.parameters(), 5.0)
        optimizer.step()
        if step % 50 == 0:
            print(f"step {step:4d}   squared error {loss.item():.4f}")

    cortex.eval()
    with torch.no_grad():
        x, where = trials(1000)
        look = cortex(x)
        cosine = nn.functional.cosine_similarity(look, where, dim=-1)
    print("metric", cosine.mean().item())


if __name__ == "__main__":
    main()
