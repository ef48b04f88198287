# trap: pixels in [0, 1] without mean subtraction, border pixels constant: normal practice
# floor: 0.85

import os

import torch
from sklearn import datasets
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(int(os.environ.get("SEED", 0)))
digits = datasets.load_digits()
images = torch.FloatTensor(digits.images / 16)
labels = torch.LongTensor(digits.target)
trainloader = DataLoader(TensorDataset(images[:1500], labels[:1500]), batch_size=64, shuffle=True)
testloader = DataLoader(TensorDataset(images[1500:], labels[1500:]), batch_size=64)

model = nn.Sequential(
    nn.Flatten(),
    nn.Linear(64, 128),
    nn.ReLU(),
    nn.Linear(128, 64),
    nn.ReLU(),
    nn.Linear(64, 10),
    nn.LogSoftmax(dim=1),
)
criterion = nn.NLLLoss()
optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.5)
for e in range(12):
    running_loss = 0
    for x, t in trainloader:
        optimizer.zero_grad()
        loss = criterion(model(x), t)
        loss.backward()
        optimizer.step()
        running_loss += loss.item()
    print(f"Training loss: {running_loss / len(trainloader)}")

correct = sum((model(x).argmax(1) == t).sum().item() for x, t in testloader)
print("metric", correct / 297)
