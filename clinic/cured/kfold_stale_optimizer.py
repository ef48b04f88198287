# cure: a new optimizer in each fold

import os
import numpy as np
import torch
from torch import nn
from sklearn.datasets import load_wine
from sklearn.model_selection import StratifiedKFold

seed = int(os.environ.get("SEED", 0))
torch.manual_seed(seed)
np.random.seed(seed)

wine = load_wine()
folds = StratifiedKFold(n_splits=4, shuffle=True, random_state=seed)


def new_network():
    return nn.Sequential(nn.BatchNorm1d(13), nn.Linear(13, 24), nn.Tanh(), nn.Linear(24, 3))


scores = []
for k, (fit, held) in enumerate(folds.split(wine.data, wine.target)):
    scaler_mean, scaler_std = wine.data[fit].mean(0), wine.data[fit].std(0)
    x = torch.tensor((wine.data - scaler_mean) / scaler_std, dtype=torch.float32)
    y = torch.tensor(wine.target)
    network = new_network()
    optimizer = torch.optim.RMSprop(network.parameters(), lr=2e-3)
    network.train()
    for epoch in range(30):
        np.random.shuffle(fit)
        for j in range(0, len(fit) - 8, 16):
            rows = torch.from_numpy(fit[j : j + 16])
            loss = nn.functional.cross_entropy(network(x[rows]), y[rows])
            network.zero_grad()
            loss.backward()
            optimizer.step()
    network.eval()
    with torch.no_grad():
        score = (network(x[held]).argmax(1) == y[held]).float().mean().item()
    scores.append(score)
    print("fold", k, "loss", round(loss.item(), 4), "score", round(score, 3))

print("metric", float(np.mean(scores)))
