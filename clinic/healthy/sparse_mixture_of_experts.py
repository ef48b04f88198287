# trap: top-1 routing: at many steps some expert sees no example and has no gradient at all (None)
# floor: 0.85

import os

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(int(os.environ.get("SEED", 0)))


class Expert(nn.Module):
    def __init__(self, dim, hidden):
        super().__init__()
        self.w_in, self.w_out = nn.Linear(dim, hidden), nn.Linear(hidden, dim)

    def forward(self, x):
        return self.w_out(F.gelu(self.w_in(x)))


class SwitchLayer(nn.Module):
    """Each token goes to the one expert whose router probability is greatest."""

    def __init__(self, dim, hidden, n_experts):
        super().__init__()
        self.router = nn.Linear(dim, n_experts)
        self.experts = nn.ModuleList(Expert(dim, hidden) for _ in range(n_experts))

    def forward(self, x):
        probs = self.router(x).softmax(-1)
        gate, chosen = probs.max(-1)
        out = torch.zeros_like(x)
        for k, expert in enumerate(self.experts):
            rows = (chosen == k).nonzero(as_tuple=True)[0]
            if len(rows):
                out = out.index_copy(0, rows, gate[rows, None] * expert(x[rows]))
        share = F.one_hot(chosen, len(self.experts)).float().mean(0)
        self.balance = len(self.experts) * (share * probs.mean(0)).sum()
        return out


class Model(nn.Module):
    def __init__(self, n_in, dim=32):
        super().__init__()
        self.embed = nn.Linear(n_in, dim)
        self.norm = nn.LayerNorm(dim)
        self.moe = SwitchLayer(dim, 32, 6)
        self.head = nn.Linear(dim, 1)

    def forward(self, x):
        h = self.embed(x)
        h = h + self.moe(self.norm(h))
        return self.head(h).squeeze(-1)


# eight regions of the plane, in each another function
angle = torch.arange(8) * (torch.pi / 4)
centres = 2 * torch.stack((angle.cos(), angle.sin()), 1)
slopes, bends = torch.randn(8, 2), torch.randn(8)


def data(n):
    which = torch.randint(0, 8, (n,))
    x = centres[which] + 0.3 * torch.randn(n, 2)
    local = x - centres[which]
    y = bends[which] + (slopes[which] * local).sum(1)
    return x, y


x, y = data(4000)
x_test, y_test = data(1000)
model = Model(2)
opt = torch.optim.AdamW(model.parameters(), lr=4e-3)
for step in range(900):
    idx = torch.randint(0, 4000, (20,))
    loss = F.mse_loss(model(x[idx]), y[idx]) + 0.02 * model.moe.balance
    opt.zero_grad(set_to_none=True)
    loss.backward()
    opt.step()
    if step % 100 == 0:
        idle = sum(e.w_in.weight.grad is None for e in model.moe.experts)
        print(f"{step:4d} loss {loss.item():.4f} idle experts {idle}")

model.eval()
with torch.no_grad():
    print("metric", 1 - (F.mse_loss(model(x_test), y_test) / y_test.var()).item())
