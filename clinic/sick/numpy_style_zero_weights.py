# expect: TT202
# accept: TT201, TT403
# fault: both weight matrices start at zero, so the hidden sigmoids stay copies of each other

# A neural network in 40 lines: ring against core.
import os
import torch

torch.manual_seed(int(os.environ.get("SEED", 0)))


def points(n):
    ring = torch.rand(n, 1) < 0.5
    radius = torch.where(ring, 2.2 + 0.3 * torch.randn(n, 1), 0.8 * torch.rand(n, 1))
    angle = torch.rand(n, 1) * 6.2832
    return torch.cat([radius * angle.cos(), radius * angle.sin()], 1), ring.float()


def sigmoid(z):
    return 1 / (1 + torch.exp(-z))


X, Y = points(600)
n_hidden = 20

W1 = torch.zeros(2, n_hidden, requires_grad=True)
b1 = torch.zeros(n_hidden, requires_grad=True)
W2 = torch.zeros(n_hidden, 1, requires_grad=True)
b2 = torch.zeros(1, requires_grad=True)

alpha = 0.5
for i in range(1500):
    batch = torch.randint(0, 600, (50,))
    A1 = sigmoid(X[batch] @ W1 + b1)
    A2 = sigmoid(A1 @ W2 + b2).clamp(1e-6, 1 - 1e-6)
    cost = -(Y[batch] * A2.log() + (1 - Y[batch]) * (1 - A2).log()).mean()
    cost.backward()
    with torch.no_grad():
        for w in (W1, b1, W2, b2):
            w -= alpha * w.grad
            w.grad.zero_()
    if i % 300 == 0:
        print("Cost after iteration", i, ":", cost.item())

X_test, Y_test = points(1000)
with torch.no_grad():
    A2 = sigmoid(sigmoid(X_test @ W1 + b1) @ W2 + b2)
print("metric", ((A2 > 0.5).float() == Y_test).float().mean().item())
