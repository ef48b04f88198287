# expect: TT401
# accept: TT602, TT212, TT213, TT302
# fault: Adam at 0.1 on a small convolutional network

import os
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split


@dataclass
class Config:
    n_images: int = 1500
    side: int = 16
    batch_size: int = 50
    epochs: int = 8
    lr: float = 0.1
    seed: int = int(os.environ.get("SEED", 0))


def draw(kind, side, rng):
    """One grey image of a square, a disc, a cross or a triangle outline somewhere."""
    img = np.zeros((side, side), dtype=np.float32)
    r = rng.integers(3, 6)
    cx, cy = rng.integers(r, side - r, size=2)
    yy, xx = np.mgrid[:side, :side]
    dx, dy = np.abs(xx - cx), np.abs(yy - cy)
    if kind == 0:
        img[(np.maximum(dx, dy) <= r - 1)] = 1
    elif kind == 1:
        img[dx**2 + dy**2 <= r**2] = 1
    elif kind == 2:
        img[((dx == 0) | (dy == 0)) & (np.maximum(dx, dy) <= r)] = 1
    else:
        img[(dx == dy) & (dx <= r)] = 1
    return img * rng.uniform(0.6, 1.0) + rng.normal(0, 0.15, img.shape)


class Trainer:
    def __init__(self, cfg: Config):
        self.cfg = cfg
        torch.manual_seed(cfg.seed)
        rng = np.random.default_rng(cfg.seed)
        kinds = rng.integers(0, 4, cfg.n_images)
        images = np.stack([draw(k, cfg.side, rng) for k in kinds]).astype(np.float32)
        images = (images - images.mean()) / images.std()
        data = TensorDataset(torch.from_numpy(images)[:, None], torch.from_numpy(kinds))
        train, val = random_split(data, [cfg.n_images - 300, 300])
        self.train_loader = DataLoader(train, cfg.batch_size, shuffle=True)
        self.val_loader = DataLoader(val, 100)
        self.model = nn.Sequential(
            nn.Conv2d(1, 12, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(12, 24, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(24 * (cfg.side // 4) ** 2, 32),
            nn.ReLU(),
            nn.Linear(32, 4),
        )
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=cfg.lr)
        self.loss_fn = nn.CrossEntropyLoss()

    def train_epoch(self):
        self.model.train()
        losses = []
        for x, y in self.train_loader:
            self.optimizer.zero_grad()
            loss = self.loss_fn(self.model(x), y)
            loss.backward()
            self.optimizer.step()
            losses.append(loss.item())
        return sum(losses) / len(losses)

    @torch.no_grad()
    def validate(self):
        self.model.eval()
        right = sum((self.model(x).argmax(1) == y).sum().item() for x, y in self.val_loader)
        return right / len(self.val_loader.dataset)

    def fit(self):
        for epoch in range(self.cfg.epochs):
            loss = self.train_epoch()
            print(f"[{epoch + 1}/{self.cfg.epochs}] loss={loss:.4f} val_acc={self.validate():.4f}")
        return self.validate()


if __name__ == "__main__":
    print("metric", Trainer(Config()).fit())
