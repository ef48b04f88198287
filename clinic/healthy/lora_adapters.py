# trap: low-rank adapters whose second factor starts at zero, so that the first factor has zero gradient at first
# floor: 0.8

"""Adapt a frozen classifier of digits to mirrored, negative digits with rank-4 updates."""

import math
import os

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits


class LoRALinear(nn.Module):
    def __init__(self, base: nn.Linear, rank: int = 4, alpha: float = 8.0) -> None:
        super().__init__()
        self.base = base
        self.base.requires_grad_(False)
        self.lora_A = nn.Parameter(torch.empty(rank, base.in_features))
        self.lora_B = nn.Parameter(torch.zeros(base.out_features, rank))
        nn.init.kaiming_uniform_(self.lora_A, a=math.sqrt(5))
        self.scaling = alpha / rank

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.base(x) + self.scaling * F.linear(F.linear(x, self.lora_A), self.lora_B)


def inject(module: nn.Module, rank: int) -> None:
    for name, child in module.named_children():
        if isinstance(child, nn.Linear):
            setattr(module, name, LoRALinear(child, rank))
        else:
            inject(child, rank)


def fit(model, x, y, lr, epochs, name):
    trainable = [p for p in model.parameters() if p.requires_grad]
    print(f"{name}: {sum(p.numel() for p in trainable)} of {sum(p.numel() for p in model.parameters())} train")
    optimizer = torch.optim.AdamW(trainable, lr=lr, weight_decay=0.0)
    for epoch in range(epochs):
        model.train()
        total = 0.0
        for idx in torch.randperm(len(x)).split(64):
            loss = F.cross_entropy(model(x[idx]), y[idx])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(idx)
        if epoch % 3 == 0:
            print(f"  epoch {epoch} loss {total / len(x):.4f}")


def main() -> None:
    torch.manual_seed(int(os.environ.get("SEED", 0)))
    digits = load_digits()
    x = torch.tensor(digits.images, dtype=torch.float32) / 8 - 1
    y = torch.tensor(digits.target)
    other = -x.flip(2)
    model = nn.Sequential(
        nn.Flatten(), nn.Linear(64, 128), nn.GELU(), nn.Linear(128, 128), nn.GELU(), nn.Dropout(0.1), nn.Linear(128, 10)
    )
    fit(model, x[:1300], y[:1300], 1e-3, 10, "base")
    inject(model, rank=4)
    fit(model, other[:1300], y[:1300], 5e-3, 16, "adapters")
    model.eval()
    with torch.no_grad():
        print("metric", (model(other[1300:]).argmax(1) == y[1300:]).float().mean().item())


if __name__ == "__main__":
    main()
