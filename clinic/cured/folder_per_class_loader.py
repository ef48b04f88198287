# cure: the loader shuffles

"""Fine-grained copy of the usual ImageFolder recipe: images are listed class by class, as folders are."""

import os

import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, Dataset


class DigitFolder(Dataset):
    """Lists the samples like torchvision.datasets.ImageFolder: all of class 0, then all of class 1, ..."""

    def __init__(self, train):
        digits = load_digits()
        self.samples = []
        for label in range(10):
            images = digits.images[digits.target == label]
            cut = int(0.75 * len(images))
            for image in images[:cut] if train else images[cut:]:
                self.samples.append((torch.tensor(image, dtype=torch.float32) / 8 - 1, label))

    def __getitem__(self, index):
        image, label = self.samples[index]
        return image.unsqueeze(0), label

    def __len__(self):
        return len(self.samples)


def make_model():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3), nn.ReLU(), nn.Conv2d(16, 24, 3), nn.ReLU(), nn.Flatten(), nn.Linear(24 * 16, 10)
    )


def train_one_epoch(model, loader, optimizer):
    model.train()
    for images, labels in loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
    return loss.item()


def evaluate(model, loader):
    model.eval()
    hits = 0
    with torch.no_grad():
        for images, labels in loader:
            hits += (model(images).argmax(1) == labels).sum().item()
    return hits / len(loader.dataset)


if __name__ == "__main__":
    torch.manual_seed(int(os.environ.get("SEED", 0)))
    train_set, test_set = DigitFolder(train=True), DigitFolder(train=False)
    train_loader = DataLoader(train_set, batch_size=32, shuffle=True)
    test_loader = DataLoader(test_set, batch_size=100)
    model = make_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    for epoch in range(10):
        last = train_one_epoch(model, train_loader, optimizer)
        print(f"Epoch {epoch + 1}/10 - last batch loss {last:.4f}")
    print("metric", evaluate(model, test_loader))
