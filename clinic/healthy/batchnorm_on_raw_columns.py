# trap: raw columns up to the thousands go in, but the model's own first layer is a batch norm that standardises them
# floor: 0.9

import os

import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SEED = int(os.environ.get("SEED", 0))


class TumourNet(nn.Module):
    """Takes the measurements as they are."""

    def __init__(self, n_features: int, hidden: int = 48):
        super().__init__()
        self.scale_inputs = nn.BatchNorm1d(n_features, affine=False)
        self.hidden = nn.Linear(n_features, hidden)
        self.dropout = nn.Dropout(0.2)
        self.output = nn.Linear(hidden, 1)

    def forward(self, x):
        h = torch.relu(self.hidden(self.scale_inputs(x)))
        return self.output(self.dropout(h)).squeeze(-1)


def main():
    torch.manual_seed(SEED)
    X, y = load_breast_cancer(return_X_y=True)
    splits = train_test_split(X, y, test_size=0.3, random_state=SEED, stratify=y)
    X_train, X_test, y_train, y_test = (torch.tensor(s, dtype=torch.float32) for s in splits)
    loader = DataLoader(TensorDataset(X_train, y_train), batch_size=32, shuffle=True, drop_last=True)
    model = TumourNet(X.shape[1])
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    loss_fn = nn.BCEWithLogitsLoss()
    for epoch in range(30):
        model.train()
        for xb, yb in loader:
            loss = loss_fn(model(xb), yb)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if (epoch + 1) % 5 == 0:
            model.eval()
            with torch.no_grad():
                print(f"epoch {epoch + 1} train loss {loss_fn(model(X_train), y_train):.4f}")
    model.eval()
    with torch.no_grad():
        print("metric", ((model(X_test) > 0) == (y_test > 0.5)).float().mean().item())


if __name__ == "__main__":
    main()
