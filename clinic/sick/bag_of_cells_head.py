# expect: TT501
# accept: TT502
# fault: the head's batch norm sees only the two bags of a batch

"""Multiple-instance learning: which share of the cells of a slide is odd? It is known per slide only."""

import os

import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(int(os.environ.get("SEED", 0)))
CELLS, SLIDES_PER_BATCH = 30, 2


def slides(n):
    """Cells are 2 x 6 x 6 images; odd ones have an eccentric nucleus."""
    odd = torch.rand(n, CELLS) < torch.rand(n, 1)
    grid = torch.arange(6).float()
    shift = torch.where(odd, 1.5, 0.0)[..., None, None]
    distance = (grid[:, None] - 2.5 - shift) ** 2 + (grid - 2.5 + shift) ** 2
    nucleus = torch.exp(-distance / 2)
    body = torch.rand(n, CELLS, 1, 1).expand_as(nucleus)
    cells = torch.stack([nucleus, body], dim=2)
    return (cells - 0.3) / 0.4 + 0.3 * torch.randn_like(cells), (odd.float().mean(dim=1) - 0.5) / 0.3


class SlideNet(nn.Module):
    def __init__(self, width=24):
        super().__init__()
        self.cell = nn.Sequential(
            nn.Conv2d(2, 12, 3), nn.BatchNorm2d(12), nn.ReLU(), nn.Flatten(), nn.Linear(12 * 16, width), nn.ReLU()
        )
        self.head = nn.Sequential(nn.BatchNorm1d(width), nn.Linear(width, 16), nn.BatchNorm1d(16), nn.ReLU())
        self.out = nn.Linear(16, 1)

    def forward(self, bags):
        n = bags.shape[0]
        codes = self.cell(bags.flatten(0, 1)).view(n, CELLS, -1)
        return self.out(self.head(codes.mean(dim=1))).squeeze(1)


@torch.no_grad()
def explained(net, bags, share):
    net.eval()
    r2 = 1 - (net(bags) - share).square().mean() / share.var()
    net.train()
    return r2.item()


net = SlideNet()
optimizer = torch.optim.AdamW(net.parameters(), lr=2e-3)
train_bags, train_share = slides(450)
test_bags, test_share = slides(200)
for epoch in range(4):
    for idx in torch.randperm(450).split(SLIDES_PER_BATCH):
        loss = F.mse_loss(net(train_bags[idx]), train_share[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print("epoch", epoch, "loss", round(loss.item(), 3))
print("metric", explained(net, test_bags, test_share))
