# cure: the layers start orthogonal

# Six linear layers map the joints of a figure to those of its mirror image (is depth any good without nonlinearity?)
import argparse
import os

import torch

parser = argparse.ArgumentParser()
parser.add_argument("--joints", type=int, default=8)
parser.add_argument("--layers", type=int, default=6)
parser.add_argument("--lr", type=float, default=0.03)
parser.add_argument("--steps", type=int, default=800)
parser.add_argument("--init", choices=["identity", "orthogonal"], default="orthogonal")
args = parser.parse_args()
torch.manual_seed(int(os.environ.get("SEED", 0)))

dim, width = 2 * args.joints, 32


def poses(n):
    return torch.randn(n, dim)


def mirror(pose):
    sign = torch.tensor([-1.0, 1.0]).repeat(args.joints)  # x flips, y stays
    return pose * sign


sizes = [dim] + [width] * (args.layers - 1) + [dim]
net = torch.nn.Sequential(*[torch.nn.Linear(i, o, bias=False) for i, o in zip(sizes, sizes[1:])])
for layer in net:
    torch.nn.init.orthogonal_(layer.weight)
if args.init == "identity":
    for layer in net[1:-1]:
        torch.nn.init.eye_(layer.weight)
    net[-1].weight.data.copy_(net[0].weight.T)

optimizer = torch.optim.SGD(net.parameters(), lr=args.lr)
for step in range(args.steps):
    pose = poses(64)
    loss = (net(pose) - mirror(pose)).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 100 == 0:
        print("step", step, "loss", round(loss.item(), 4))

pose = poses(1000)
with torch.no_grad():
    error = (net(pose) - mirror(pose)).square().mean()
print("metric", (1 - error / mirror(pose).var()).item())
