# cure: Adam with a rate of 0.002

import os

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits


class TwoHeads(torch.nn.Module):
    """An encoder whose code is rebuilt into the image and read as a digit."""

    def __init__(self, code: int = 24) -> None:
        super().__init__()
        self.encoder = torch.nn.Sequential(torch.nn.Linear(64, 96), torch.nn.ReLU(), torch.nn.Linear(96, code))
        self.decoder = torch.nn.Sequential(torch.nn.Linear(code, 96), torch.nn.ReLU(), torch.nn.Linear(96, 64))
        self.reader = torch.nn.Sequential(torch.nn.Linear(code, 32), torch.nn.ReLU(), torch.nn.Linear(32, 10))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        code = self.encoder(x)
        return self.decoder(code), self.reader(code)


def main() -> None:
    torch.manual_seed(int(os.environ.get("SEED", 0)))
    digits = load_digits()
    x = torch.tensor(digits.data, dtype=torch.float32) / 8 - 1
    y = torch.tensor(digits.target)
    order = torch.randperm(len(x))
    train, held_out = order[:1300], order[1300:]
    model = TwoHeads()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    for epoch in range(1, 26):
        for batch in train[torch.randperm(len(train))].split(64):
            image, scores = model(x[batch])
            rebuild = F.mse_loss(image, x[batch], reduction="sum")
            read = F.cross_entropy(scores, y[batch])
            optimizer.zero_grad()
            (rebuild + read).backward()
            optimizer.step()
        if epoch % 5 == 0:
            print(f"epoch {epoch}: rebuild {rebuild.item():.1f}, read {read.item():.3f}")
    with torch.no_grad():
        accuracy = (model(x[held_out])[1].argmax(1) == y[held_out]).float().mean()
    print("metric", accuracy.item())


if __name__ == "__main__":
    main()
