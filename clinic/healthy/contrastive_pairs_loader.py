# trap: pairs beyond the margin add exactly zero loss; one encoder is called twice a step on a Dataset of random pairs
# floor: 0.85

"""Siamese network with the contrastive loss of Hadsell et al.; accuracy of same/different on new pairs."""

import os
import random

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, Dataset


class PairDataset(Dataset):
    def __init__(self, images, labels, size):
        self.images, self.labels, self.size = images, labels, size
        self.by_class = {c: (labels == c).nonzero().flatten().tolist() for c in range(10)}

    def __len__(self):
        return self.size

    def __getitem__(self, _):
        i = random.randrange(len(self.images))
        own = int(self.labels[i])
        same = random.random() < 0.5
        other = own if same else random.choice([c for c in range(10) if c != own])
        j = random.choice(self.by_class[other])
        return self.images[i], self.images[j], torch.tensor(float(same))


class SiameseNetwork(nn.Module):
    def __init__(self):
        super().__init__()
        self.cnn = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3, padding=1), nn.ReLU()
        )
        self.fc = nn.Sequential(nn.Linear(16 * 16, 64), nn.ReLU(), nn.Linear(64, 8))

    def forward_once(self, x):
        return self.fc(self.cnn(x).flatten(1))

    def forward(self, a, b):
        return self.forward_once(a), self.forward_once(b)


class ContrastiveLoss(nn.Module):
    def __init__(self, margin=1.5):
        super().__init__()
        self.margin = margin

    def forward(self, a, b, same):
        d = (a - b).pow(2).sum(1).add(1e-8).sqrt()
        return (same * d.pow(2) + (1 - same) * F.relu(self.margin - d).pow(2)).mean()


def main():
    seed = int(os.environ.get("SEED", 0))
    random.seed(seed)
    torch.manual_seed(seed)
    digits = load_digits()
    images = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1) / 8 - 1
    labels = torch.tensor(digits.target)
    train = DataLoader(PairDataset(images[:1300], labels[:1300], 2560), batch_size=64)
    test = DataLoader(PairDataset(images[1300:], labels[1300:], 1500), batch_size=500)
    net, criterion = SiameseNetwork(), ContrastiveLoss()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    for epoch in range(10):
        total = 0.0
        for a, b, same in train:
            optimizer.zero_grad()
            loss = criterion(*net(a, b), same)
            loss.backward()
            optimizer.step()
            total += loss.item()
        print("Epoch %d\n Current loss %.4f" % (epoch, total / len(train)))
    right = count = 0
    with torch.no_grad():
        for a, b, same in test:
            distance = F.pairwise_distance(*net(a, b))
            right += ((distance < 0.75) == same.bool()).sum().item()
            count += len(same)
    print("metric", right / count)


if __name__ == "__main__":
    main()
