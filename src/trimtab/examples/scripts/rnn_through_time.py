"""A recurrent network reads digits pixel by pixel, padded to one length: the gradient fades on the way back."""

import torch
from torch import nn
from torch.nn import functional as F

from trimtab.examples import digits

torch.manual_seed(0)

images, labels = digits.load()
pixels = torch.from_numpy(images).flatten(1) / 8 - 0.6
x = F.pad(pixels, (0, 36)).unsqueeze(-1)  # [N, T = 100, 1]
y = torch.from_numpy(labels)


class PixelReader(nn.Module):
    def __init__(self, hidden=48):
        super().__init__()
        self.rnn = nn.RNN(1, hidden, batch_first=True)
        self.head = nn.Linear(hidden, 10)

    def forward(self, sequence):
        states, _ = self.rnn(sequence)
        return self.head(states[:, -1])


model = PixelReader()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
criterion = nn.CrossEntropyLoss()

for epoch in range(6):
    order = torch.randperm(1500)
    running = 0.0
    for start in range(0, 1500, 50):
        batch = order[start : start + 50]
        optimizer.zero_grad()
        loss = criterion(model(x[batch]), y[batch])
        loss.backward()
        optimizer.step()
        running += loss.item()
    print(f"epoch {epoch + 1}  loss {running / 30:.4f}")
