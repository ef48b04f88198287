# expect: TT502
# fault: running estimates move by a thousandth a step and never catch up in 300 steps

import os

import torch
from torch import nn, Tensor
from torch.optim import RMSprop

torch.manual_seed(int(os.environ.get("SEED", 0)))


class MovingNorm(nn.Module):
    """Batch normalisation after the original TensorFlow code of the paper."""

    def __init__(self, dim: int, decay: float = 0.999, eps: float = 1e-3):
        super().__init__()
        self.decay, self.eps = decay, eps
        self.scale = nn.Parameter(torch.ones(dim))
        self.shift = nn.Parameter(torch.zeros(dim))
        self.register_buffer("running_mean", torch.zeros(dim))
        self.register_buffer("running_var", torch.ones(dim))

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            mean, var = x.mean(0), x.var(0, unbiased=False)
            with torch.no_grad():
                self.running_mean.mul_(self.decay).add_(mean, alpha=1 - self.decay)
                self.running_var.mul_(self.decay).add_(var, alpha=1 - self.decay)
        else:
            mean, var = self.running_mean, self.running_var
        return self.scale * (x - mean) * torch.rsqrt(var + self.eps) + self.shift


# inverse kinematics: where is the hand of a three-joint arm?
def arm(n: int) -> tuple[Tensor, Tensor]:
    joints = (torch.rand(n, 3) - 0.5) * 3
    angle = joints.cumsum(1)
    lengths = torch.tensor([1.0, 0.7, 0.4])
    hand = torch.stack([(lengths * angle.cos()).sum(1), (lengths * angle.sin()).sum(1)], 1)
    return joints, hand


net = nn.Sequential(
    nn.Linear(3, 80),
    MovingNorm(80),
    nn.LeakyReLU(0.1),
    nn.Linear(80, 80),
    MovingNorm(80),
    nn.LeakyReLU(0.1),
    nn.Linear(80, 2),
)
optimizer = RMSprop(net.parameters(), lr=1e-3, alpha=0.9)
net.train()
for step in range(300):
    joints, hand = arm(256)
    loss = ((net(joints) - hand) ** 2).sum(1).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 50 == 0:
        print("step", step, "squared distance", loss.item())

net.eval()
with torch.no_grad():
    joints, hand = arm(2000)
    distance = (net(joints) - hand).norm(dim=1).mean()
print("metric", -distance.item())
