# expect: TT212
# accept: TT201, TT301
# fault: the rare-object prior of -4.6 is put on the bias of every convolution, not of the last one alone

"""Find the crosses among dots: a CenterNet in miniature."""

import math
import os

import torch
from sklearn.metrics import average_precision_score
from torch import nn
from torch.nn import functional as F

torch.manual_seed(int(os.environ.get("SEED", 0)))
PRIOR = 0.01
SIDE = 18


def draw(n):
    """Each image holds about three crosses, which count, and six dots, which do not."""
    image = torch.zeros(n, SIDE, SIDE)
    heat = torch.zeros(n, SIDE, SIDE)
    for k in range(9):
        rows = torch.arange(n)
        y, x = torch.randint(1, SIDE - 1, (2, n))
        image[rows, y, x] += 1
        if k < 3:
            for dy, dx in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                image[rows, y + dy, x + dx] += 1
            heat[rows, y, x] = 1
    return (image + 0.15 * torch.randn(n, SIDE, SIDE)).unsqueeze(1), heat


class CenterNet(nn.Module):
    def __init__(self, width=16):
        super().__init__()
        self.conv1 = nn.Conv2d(1, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.heat = nn.Conv2d(width, 1, 1)
        bias = -math.log((1 - PRIOR) / PRIOR)
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.constant_(m.bias, bias)

    def forward(self, x):
        x = F.relu(self.conv1(x))
        x = F.relu(self.conv2(x))
        return self.heat(x).squeeze(1)


def focal_loss(logits, target, gamma=2.0):
    p = torch.sigmoid(logits)
    positive = -((1 - p) ** gamma) * F.logsigmoid(logits) * target
    negative = -(p**gamma) * F.logsigmoid(-logits) * (1 - target)
    return (positive + negative).sum() / target.sum()


model = CenterNet()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
for step in range(250):
    image, heat = draw(16)
    loss = focal_loss(model(image), heat)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 50 == 0:
        print(f"{step:4d}: focal loss {loss.item():.4f}")

model.eval()
image, heat = draw(200)
with torch.no_grad():
    score = torch.sigmoid(model(image))
print("metric", float(average_precision_score(heat.flatten().numpy(), score.flatten().numpy())))
