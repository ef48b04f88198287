"""A deep sigmoid network on handwritten digits: it trains without an error and learns nothing."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from trimtab.examples import digits

torch.manual_seed(0)

images, labels = digits.load()
x = torch.from_numpy(images).flatten(1)
x = (x - x.mean()) / x.std()
y = torch.from_numpy(labels)
train = DataLoader(TensorDataset(x[:1500], y[:1500]), batch_size=32, shuffle=True)


class DeepNet(nn.Module):
    def __init__(self, depth=9, width=64):
        super().__init__()
        self.hidden = nn.ModuleList(nn.Linear(64 if i == 0 else width, width) for i in range(depth))
        self.out = nn.Linear(width, 10)

    def forward(self, x):
        for layer in self.hidden:
            x = torch.sigmoid(layer(x))
        return self.out(x)


model = DeepNet()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
criterion = nn.CrossEntropyLoss()

for epoch in range(8):
    total = 0.0
    for inputs, targets in train:
        loss = criterion(model(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    with torch.no_grad():
        accuracy = (model(x[1500:]).argmax(1) == y[1500:]).float().mean().item()
    print(f"epoch {epoch + 1}  loss {total / len(train):.4f}  test accuracy {accuracy:.3f}")
