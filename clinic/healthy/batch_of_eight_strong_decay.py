# trap: batches of eight and a decoupled weight decay of 0.1: noisy steps, weights that shrink unless they are used
# floor: 0.9

import os

import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class WineClassifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(13, 32),
            nn.GELU(),
            nn.Linear(32, 32),
            nn.GELU(),
            nn.Linear(32, 3),
        )

    def forward(self, x):
        return self.net(x)


def main():
    seed = int(os.environ.get("SEED", 0))
    torch.manual_seed(seed)
    X, y = load_wine(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.4, random_state=seed, stratify=y)
    mean, std = X_train.mean(axis=0), X_train.std(axis=0)
    train = TensorDataset(torch.tensor((X_train - mean) / std, dtype=torch.float32), torch.tensor(y_train))
    loader = DataLoader(train, batch_size=8, shuffle=True)
    model = WineClassifier()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.1)
    loss_fn = nn.CrossEntropyLoss()
    for epoch in range(1, 41):
        running = 0.0
        for x, target in loader:
            optimizer.zero_grad()
            loss = loss_fn(model(x), target)
            loss.backward()
            optimizer.step()
            running += loss.item()
        if epoch % 5 == 0:
            print(f"Epoch {epoch}/40, Loss: {running / len(loader):.4f}")
    model.eval()
    with torch.no_grad():
        prediction = model(torch.tensor((X_test - mean) / std, dtype=torch.float32)).argmax(dim=1)
    print("metric", (prediction == torch.tensor(y_test)).float().mean().item())


if __name__ == "__main__":
    main()
