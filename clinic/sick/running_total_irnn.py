# expect: TT304
# accept: TT302, TT602
# fault: the recurrent net sits at the edge of chaos and nothing clips the gradient when it falls off

# Keep a running total: a recurrent net of ReLUs with identity start (Le, Jaitly & Hinton 2015) reads 60 numbers, some
# of them marked, and returns the mean of the marked ones
import os

import torch
from torch import nn

torch.manual_seed(int(os.environ.get("SEED", 0)))
T, HIDDEN = 60, 32


def sequences(n):
    value = torch.rand(n, T) * 2 - 1
    mark = (torch.rand(n, T) < 0.2).float()
    return torch.stack([value, mark], 2), (value * mark).sum(1) / 12**0.5 * 1.7


rnn = nn.RNN(2, HIDDEN, nonlinearity="relu", batch_first=True)
read = nn.Linear(HIDDEN, 1)
with torch.no_grad():
    rnn.weight_hh_l0.copy_(torch.eye(HIDDEN))
    rnn.weight_ih_l0.normal_(std=0.1)
    rnn.bias_hh_l0.zero_()
    rnn.bias_ih_l0.zero_()
params = [*rnn.parameters(), *read.parameters()]
opt = torch.optim.SGD(params, lr=0.01, momentum=0.9)

for step in range(600):
    x, target = sequences(32)
    states, last = rnn(x)
    loss = (read(last[0]).squeeze(1) - target).square().mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 100 == 0:
        print(f"step {step:4d}  loss {loss.item():.3f}")

with torch.no_grad():
    x, target = sequences(1000)
    error = (read(rnn(x)[1][0]).squeeze(1) - target).square().mean() / target.var()
print("metric", -error.item())
