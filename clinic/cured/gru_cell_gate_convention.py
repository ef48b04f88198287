# cure: the update gate's bias has the sign that keeps the state

"""Delayed match to sample: is the last picture the one that was shown 30 steps ago?"""

import os

import torch
import torch.nn.functional as F

torch.manual_seed(int(os.environ.get("SEED", 0)))
DELAY, DIM, HIDDEN = 30, 6, 48

cell = torch.nn.GRUCell(DIM, HIDDEN)
readout = torch.nn.Sequential(torch.nn.Linear(HIDDEN + DIM, 48), torch.nn.ReLU(), torch.nn.Linear(48, 1))
with torch.no_grad():
    # long memory: keep most of the state (see Cho et al., 2014)
    cell.bias_hh[HIDDEN : 2 * HIDDEN].fill_(4.0)

pictures = torch.eye(4, DIM) * 2


def trial(n):
    first = torch.randint(4, (n,))
    match = torch.rand(n) < 0.5
    other = (first + torch.randint(1, 4, (n,))) % 4
    probe = torch.where(match, first, other)
    stream = 0.1 * torch.randn(DELAY, n, DIM)
    stream[0] += pictures[first]
    return stream, pictures[probe], match.float()


def respond(stream, probe):
    h = torch.zeros(stream.shape[1], HIDDEN)
    for x in stream:
        h = cell(x, h)
    return readout(torch.cat([h, probe], dim=1)).squeeze(1)


params = [*cell.parameters(), *readout.parameters()]
opt = torch.optim.Adam(params, lr=4e-3)
for step in range(250):
    stream, probe, match = trial(40)
    loss = F.binary_cross_entropy_with_logits(respond(stream, probe), match)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 50 == 0:
        print("step {:4d} loss {:.3f}".format(step, loss.item()))

with torch.no_grad():
    stream, probe, match = trial(1000)
    correct = (respond(stream, probe) > 0) == (match > 0.5)
print("metric", correct.float().mean().item())
