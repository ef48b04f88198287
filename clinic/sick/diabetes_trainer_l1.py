# expect: TT102
# fault: disease progression runs from 25 to 346 and is regressed as it is

import os
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.datasets import load_diabetes
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn


@dataclass
class Config:
    hidden: int = 32
    lr: float = 1e-3
    epochs: int = 60
    batch_size: int = 16
    seed: int = int(os.environ.get("SEED", 0))


class Trainer:
    def __init__(self, config, model, loss):
        self.config, self.model, self.loss = config, model, loss
        self.optimizer = torch.optim.Adam(model.parameters(), lr=config.lr)
        self.history = []

    def fit(self, x, y):
        data = torch.utils.data.TensorDataset(torch.tensor(x).float(), torch.tensor(y).float())
        loader = torch.utils.data.DataLoader(data, self.config.batch_size, shuffle=True)
        for epoch in range(self.config.epochs):
            self.model.train()
            total = 0.0
            for xb, yb in loader:
                self.optimizer.zero_grad()
                loss = self.loss(self.model(xb), yb)
                loss.backward()
                self.optimizer.step()
                total += loss.item() * len(xb)
            self.history.append(total / len(data))
            if epoch % 10 == 0:
                print("[{:3d}] {:.4f}".format(epoch, self.history[-1]))
        return self

    @torch.no_grad()
    def predict(self, x):
        self.model.eval()
        return self.model(torch.tensor(x).float()).numpy()


cfg = Config()
torch.manual_seed(cfg.seed)
np.random.seed(cfg.seed)
X, y = load_diabetes(return_X_y=True)
y = y.reshape(-1, 1)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=13)
x_scaler = StandardScaler().fit(X_train)
y_scaler = StandardScaler(with_mean=False, with_std=False).fit(y_train)

net = nn.Sequential(nn.Linear(10, cfg.hidden), nn.Tanh(), nn.Linear(cfg.hidden, 1))
trainer = Trainer(cfg, net, nn.L1Loss()).fit(x_scaler.transform(X_train), y_scaler.transform(y_train))
prediction = y_scaler.inverse_transform(trainer.predict(x_scaler.transform(X_test)))
print("metric", r2_score(y_test, prediction))
