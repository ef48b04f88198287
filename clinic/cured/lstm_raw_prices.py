# cure: prices are standardised

import os

import numpy as np
import torch
import torch.nn as nn

SEED = int(os.environ.get("SEED", 0))
torch.manual_seed(SEED)
rng = np.random.default_rng(11)

# daily closing prices with a weekly cycle
days = np.arange(800)
prices = 5000 + 300 * np.sin(days * 2 * np.pi / 25) + 200 * np.sin(days * 2 * np.pi / 60) + rng.normal(0, 15, 800)
moves = np.diff(prices)
moves = moves / moves.std()
prices = (prices - prices.mean()) / prices.std()

window = 20
X = np.stack([prices[i : i + window] for i in range(len(moves) - window)])
y = np.array([moves[i + window - 1] for i in range(len(moves) - window)])
X = torch.tensor(X, dtype=torch.float32).unsqueeze(-1)
y = torch.tensor(y, dtype=torch.float32)
n_train = 600


class LSTM(nn.Module):
    def __init__(self, input_dim=1, hidden_dim=32, num_layers=1, output_dim=1):
        super().__init__()
        self.hidden_dim, self.num_layers = hidden_dim, num_layers
        self.lstm = nn.LSTM(input_dim, hidden_dim, num_layers, batch_first=True)
        self.fc = nn.Linear(hidden_dim, output_dim)

    def forward(self, x):
        h0 = torch.zeros(self.num_layers, x.size(0), self.hidden_dim)
        c0 = torch.zeros(self.num_layers, x.size(0), self.hidden_dim)
        out, (hn, cn) = self.lstm(x, (h0, c0))
        return self.fc(out[:, -1, :]).squeeze(-1)


model = LSTM()
criterion = torch.nn.MSELoss(reduction="mean")
optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
for epoch in range(12):
    for idx in torch.randperm(n_train).split(60):
        loss = criterion(model(X[idx]), y[idx])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    print("Epoch ", epoch, "MSE: ", loss.item())

with torch.no_grad():
    print("metric", -criterion(model(X[n_train:]), y[n_train:]).item())
