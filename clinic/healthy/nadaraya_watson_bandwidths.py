# trap: no layers: the only parameters are eight log bandwidths and the loss is leave-one-out over the whole set at once
# floor: 0.7

import os

import torch
from sklearn.datasets import make_friedman1
from sklearn.model_selection import train_test_split

seed = int(os.environ.get("SEED", 0))
torch.manual_seed(seed)

X, y = make_friedman1(n_samples=700, n_features=8, noise=0.5, random_state=seed)
X, X_new, y, y_new = (
    torch.tensor(a, dtype=torch.float32) for a in train_test_split(X, y, test_size=250, random_state=seed)
)
m, s = y.mean(), y.std()
y, y_new = (y - m) / s, (y_new - m) / s

log_h = torch.nn.Parameter(torch.full((8,), -0.7))
optimizer = torch.optim.Adam([log_h], lr=0.05)


def predict(queries, leave_one_out=False):
    scaled = (queries[:, None] - X[None]) / log_h.exp()
    logits = -0.5 * scaled.pow(2).sum(-1)
    if leave_one_out:
        logits = logits.masked_fill(torch.eye(len(X), dtype=torch.bool), float("-inf"))
    return logits.softmax(1) @ y


for it in range(120):
    loss = (predict(X, leave_one_out=True) - y).pow(2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if it % 20 == 0:
        print(f"{it:4d}  loo mse {loss.item():.4f}")

print("bandwidths", [round(h, 2) for h in log_h.exp().tolist()])
with torch.no_grad():
    print("metric", 1 - ((predict(X_new) - y_new).pow(2).mean() / y_new.var()).item())
