# expect: TT201, TT301
# accept: TT403
# fault: all weights are drawn with a std of 0.01, so the signal is gone after a few of the eight layers

"""A VGG in miniature on synthetic leaves, initialised as in the 2012 papers."""

import os

import torch
import torch.nn as nn

torch.manual_seed(int(os.environ.get("SEED", 0)))

CFG = [8, 8, "M", 16, 16, "M", 24, 24, "M"]


def make_layers(cfg, channels=1):
    layers = []
    for item in cfg:
        if item == "M":
            layers.append(nn.MaxPool2d(kernel_size=2, stride=2))
        else:
            layers += [nn.Conv2d(channels, item, kernel_size=3, padding=1), nn.ReLU(inplace=True)]
            channels = item
    return nn.Sequential(*layers)


class VGG(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.features = make_layers(CFG)
        self.classifier = nn.Sequential(nn.Linear(24 * 4, 64), nn.ReLU(inplace=True), nn.Linear(64, num_classes))
        self._initialize_weights()

    def forward(self, x):
        return self.classifier(torch.flatten(self.features(x), 1))

    def _initialize_weights(self):
        for m in self.modules():
            if isinstance(m, (nn.Conv2d, nn.Linear)):
                nn.init.normal_(m.weight, 0, 0.01)
                nn.init.constant_(m.bias, 0)


def leaves(n, side=16):
    """A leaf has 2, 3, 4 or 5 lobes."""
    kind = torch.randint(0, 4, (n,))
    axis = torch.linspace(-1, 1, side)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    dx, dy = 0.15 * torch.randn(2, n, 1, 1)
    angle = torch.atan2(y - dy, x - dx)
    radius = torch.hypot(x - dx, y - dy)
    turn = torch.rand(n, 1, 1) * 6.28
    edge = 0.55 + 0.25 * torch.cos((kind + 2)[:, None, None] * angle + turn)
    image = torch.sigmoid(12 * (edge - radius))
    return (image + 0.15 * torch.randn(n, side, side) - 0.25).unsqueeze(1) / 0.4, kind


x, y = leaves(1300)
x_test, y_test = leaves(400)
vgg = VGG(4)
optimizer = torch.optim.SGD(vgg.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)
for epoch in range(10):
    vgg.train()
    for i in torch.randperm(len(x)).split(40):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(vgg(x[i]), y[i])
        loss.backward()
        optimizer.step()
    print("Epoch: [{0}] Loss {1:.4f}".format(epoch, loss.item()))

vgg.eval()
with torch.no_grad():
    print("metric", (vgg(x_test).argmax(1) == y_test).float().mean().item())
