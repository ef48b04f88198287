# cure: forward calls it

import os
import torch
from torch import nn

torch.manual_seed(int(os.environ.get("SEED", 0)))
DELAY = 3
SYMBOLS = 5


class EchoNet(nn.Module):
    """Say the symbol that was heard DELAY steps ago."""

    def __init__(self, hidden_size=40):
        super().__init__()
        self.embedding = nn.Embedding(SYMBOLS, 16)
        self.project = nn.Linear(16, hidden_size)
        self.memory = nn.GRU(hidden_size, hidden_size, batch_first=True)
        self.norm = nn.LayerNorm(hidden_size)
        self.decode = nn.Linear(hidden_size, SYMBOLS)

    def forward(self, symbols):
        h = torch.tanh(self.project(self.embedding(symbols)))
        h = self.memory(h)[0]
        return self.decode(self.norm(h))


def heard(batch_size, length=14):
    symbols = torch.randint(SYMBOLS, (batch_size, length))
    return symbols, symbols[:, :-DELAY]


net = EchoNet()
params = [p for p in net.parameters() if p.requires_grad]
optimizer = torch.optim.Adam(params, lr=5e-3)

for i in range(301):
    symbols, echo = heard(32)
    prediction = net(symbols)[:, DELAY:]
    loss = nn.functional.cross_entropy(prediction.transpose(1, 2), echo)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if i % 60 == 0:
        print(i, loss.item())

with torch.no_grad():
    symbols, echo = heard(500)
    accuracy = (net(symbols)[:, DELAY:].argmax(-1) == echo).float().mean()
print("metric", accuracy.item())
