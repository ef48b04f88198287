# trap: a compiled recurrent model (backend eager) that is called in training mode and, between epochs, in eval mode
# floor: 0.95

"""Count the ones in a noisy bit stream, modulo 3, after each of 16 bits."""

import logging
import os

import torch
import torch.nn as nn

torch.manual_seed(int(os.environ.get("SEED", 0)))
logging.getLogger("torch").setLevel(logging.ERROR)


class Counter(nn.Module):
    def __init__(self, hidden: int = 32) -> None:
        super().__init__()
        self.cell = nn.GRUCell(1, hidden)
        self.drop = nn.Dropout(0.05)
        self.out = nn.Linear(hidden, 3)

    def forward(self, bits: torch.Tensor) -> torch.Tensor:
        h = bits.new_zeros(bits.shape[0], 32)
        logits = []
        for t in range(bits.shape[1]):
            h = self.cell(bits[:, t, None], h)
            logits.append(self.out(self.drop(h)))
        return torch.stack(logits, 1)


def batch(n: int) -> tuple[torch.Tensor, torch.Tensor]:
    bits = (torch.rand(n, 16) < 0.5).long()
    return (2 * bits - 1) + 0.1 * torch.randn(n, 16), bits.cumsum(1) % 3


raw = Counter()
model = torch.compile(raw, backend="eager")
optimizer = torch.optim.Adam(raw.parameters(), lr=1e-2)
x_val, y_val = batch(500)
for epoch in range(3):
    model.train()
    for _ in range(70):
        x, y = batch(64)
        loss = nn.functional.cross_entropy(model(x).flatten(0, 1), y.flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(raw.parameters(), 1.0)
        optimizer.step()
    model.eval()
    with torch.no_grad():
        accuracy = (model(x_val).argmax(-1) == y_val).float().mean().item()
    print(f"epoch {epoch}: loss {loss.item():.4f} accuracy {accuracy:.3f}")
print("metric", accuracy)
