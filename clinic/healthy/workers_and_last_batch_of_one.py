# trap: two loader workers, a last batch of a single example, training and evaluation in turns
# floor: 0.9

import os

import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, Dataset


class DigitDataset(Dataset):
    def __init__(self, lo, hi):
        bunch = load_digits()
        self.images, self.targets = bunch.images[lo:hi], bunch.target[lo:hi]

    def __len__(self):
        return len(self.targets)

    def __getitem__(self, i):
        image = torch.tensor(self.images[i], dtype=torch.float32).unsqueeze(0)
        return (image - 4.88) / 6.02, int(self.targets[i])


def train_epoch(net, loader, optimizer, criterion):
    net.train()
    running_loss, correct = 0.0, 0
    for inputs, targets in loader:
        optimizer.zero_grad()
        outputs = net(inputs)
        loss = criterion(outputs, targets)
        loss.backward()
        optimizer.step()
        running_loss += loss.item() * inputs.size(0)
        correct += outputs.argmax(1).eq(targets).sum().item()
    return running_loss / len(loader.dataset), correct / len(loader.dataset)


@torch.no_grad()
def test_epoch(net, loader, criterion):
    net.eval()
    loss, correct = 0.0, 0
    for inputs, targets in loader:
        outputs = net(inputs)
        loss += criterion(outputs, targets).item() * inputs.size(0)
        correct += outputs.argmax(1).eq(targets).sum().item()
    return loss / len(loader.dataset), correct / len(loader.dataset)


if __name__ == "__main__":
    torch.manual_seed(int(os.environ.get("SEED", 0)))
    torch.set_num_threads(1)
    train_loader = DataLoader(
        DigitDataset(0, 1025), batch_size=64, shuffle=True, num_workers=2, persistent_workers=True
    )
    test_loader = DataLoader(DigitDataset(1025, 1797), batch_size=256)
    net = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.GroupNorm(4, 16),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.GroupNorm(4, 32),
        nn.ReLU(),
        nn.Flatten(),
        nn.Dropout(0.25),
        nn.Linear(512, 10),
    )
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.AdamW(net.parameters(), lr=2e-3)
    for epoch in range(1, 7):
        train_loss, train_acc = train_epoch(net, train_loader, optimizer, criterion)
        test_loss, test_acc = test_epoch(net, test_loader, criterion)
        print(f"{epoch} train {train_loss:.4f}/{train_acc:.3f} test {test_loss:.4f}/{test_acc:.3f}")
    print("metric", test_acc)
