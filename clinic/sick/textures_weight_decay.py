# expect: TT408
# accept: TT301, TT212
# fault: SGD with weight decay 1.0 pulls every weight to zero faster than the loss can push it out

import os

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


def smooth_noise(rng, n, size, kernel):
    """White noise filtered by a fixed kernel: one texture class."""
    noise = rng.normal(size=(n, size, size))
    spectrum = np.fft.fft2(noise) * np.fft.fft2(kernel, s=(size, size))
    image = np.fft.ifft2(spectrum).real
    return image / image.std()


def build(seed, per_class=250, size=16):
    kernels = [
        np.ones((1, 4)),
        np.ones((4, 1)),
        np.eye(4),
        np.fliplr(np.eye(4)),
        np.ones((2, 2)),
    ]
    rng = np.random.default_rng(seed)
    x = np.concatenate([smooth_noise(rng, per_class, size, k) for k in kernels])
    y = np.repeat(np.arange(len(kernels)), per_class)
    order = rng.permutation(len(y))
    return torch.tensor(x[order, None], dtype=torch.float32), torch.tensor(y[order])


class TextureNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(1, 16, 4)
        self.c2 = nn.Conv2d(16, 16, 3)
        self.fc = nn.Linear(16, 5)

    def forward(self, x):
        x = F.relu(self.c1(x))
        x = F.relu(self.c2(x))
        return self.fc(x.mean((2, 3)))


if __name__ == "__main__":
    seed = int(os.environ.get("SEED", 0))
    torch.manual_seed(seed)
    x, y = build(seed)
    x_train, y_train, x_test, y_test = x[:1000], y[:1000], x[1000:], y[1000:]
    net = TextureNet()
    opt = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=1.0)
    for epoch in range(10):
        order = torch.randperm(1000)
        for i in range(0, 1000, 50):
            rows = order[i : i + 50]
            out = net(x_train[rows])
            loss = F.cross_entropy(out, y_train[rows])
            opt.zero_grad()
            loss.backward()
            opt.step()
        print("Epoch: {}, loss: {:.4f}".format(epoch, float(loss)))
    with torch.no_grad():
        print("metric", float((net(x_test).argmax(1) == y_test).float().mean()))
