# expect: TT401
# accept: TT602
# fault: SGD's learning rate is sixty times too high

import os

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from sklearn.datasets import load_digits

torch.manual_seed(int(os.environ.get("SEED", 0)))


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, padding=1)
        self.conv2 = nn.Conv2d(8, 16, 3, padding=1)
        self.fc1 = nn.Linear(16 * 2 * 2, 64)
        self.fc2 = nn.Linear(64, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = x.flatten(1)
        x = F.relu(self.fc1(x))
        return F.log_softmax(self.fc2(x), dim=1)


def train(model, optimizer, data, target, epoch):
    model.train()
    for batch_idx, index in enumerate(torch.randperm(len(data)).split(64)):
        optimizer.zero_grad()
        loss = F.nll_loss(model(data[index]), target[index])
        loss.backward()
        optimizer.step()
        if batch_idx % 10 == 0:
            print(f"Train Epoch: {epoch} [{batch_idx * 64}/{len(data)}]\tLoss: {loss.item():.6f}")


def test(model, data, target):
    model.eval()
    with torch.no_grad():
        return model(data).argmax(1).eq(target).float().mean().item()


digits = load_digits()
data = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1)
data = (data - data.mean()) / data.std()
target = torch.tensor(digits.target)
model = LeNet()
optimizer = optim.SGD(model.parameters(), lr=3.0, momentum=0.9)
for epoch in range(1, 7):
    train(model, optimizer, data[:1300], target[:1300], epoch)
print("metric", test(model, data[1300:], target[1300:]))
