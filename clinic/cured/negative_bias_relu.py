# cure: biases start at 0

import os

import torch
import torch.nn as nn
import torch.optim as optim
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(int(os.environ.get("SEED", 0)))
digits = load_digits()
images = torch.tensor(digits.images, dtype=torch.float32).div(8.0).sub(1.0).unsqueeze(1)
dataset = TensorDataset(images, torch.tensor(digits.target))
train_set, test_set = random_split(dataset, [1400, 397], generator=torch.Generator().manual_seed(7))
train_loader = DataLoader(train_set, batch_size=50, shuffle=True)
test_loader = DataLoader(test_set, batch_size=397)


class Net(nn.Module):
    def __init__(self):
        super(Net, self).__init__()
        self.flatten = nn.Flatten()
        self.hidden1 = nn.Linear(64, 128)
        self.relu1 = nn.ReLU()
        self.hidden2 = nn.Linear(128, 64)
        self.relu2 = nn.ReLU()
        self.out = nn.Linear(64, 10)
        # start from sparse codes
        for layer in (self.hidden1, self.hidden2):
            nn.init.constant_(layer.bias, 0.0)

    def forward(self, x):
        x = self.flatten(x)
        x = self.relu1(self.hidden1(x))
        x = self.relu2(self.hidden2(x))
        return self.out(x)


net = Net()
criterion = nn.CrossEntropyLoss()
optimizer = optim.SGD(net.parameters(), lr=0.05, momentum=0.9)

for epoch in range(8):
    for i, data in enumerate(train_loader, 0):
        inputs, labels = data
        optimizer.zero_grad()
        loss = criterion(net(inputs), labels)
        loss.backward()
        optimizer.step()
    print("[%d] loss: %.3f" % (epoch + 1, loss.item()))
print("Finished Training")

correct = total = 0
with torch.no_grad():
    for inputs, labels in test_loader:
        correct += (net(inputs).argmax(1) == labels).sum().item()
        total += labels.size(0)
print("metric", correct / total)
