# cure: the gradients are dropped after each update

import os
import numpy as np
import torch
from sklearn.datasets import load_wine

np.random.seed(int(os.environ.get("SEED", 0)))
dataset = load_wine()
shuffle = np.random.permutation(178)
X = dataset.data[shuffle]
Y = dataset.target[shuffle]
X = (X - X.mean(axis=0)) / X.std(axis=0)
X_train = torch.from_numpy(X[:120]).float()
Y_train = torch.from_numpy(Y[:120])
X_test = torch.from_numpy(X[120:]).float()
Y_test = torch.from_numpy(Y[120:])


# two hidden layers of tanh units, Xavier initialisation
def init(fan_in, fan_out):
    w = np.random.randn(fan_in, fan_out) * np.sqrt(1.0 / fan_in)
    return torch.tensor(w, dtype=torch.float32, requires_grad=True)


W1, W2, W3 = init(13, 32), init(32, 32), init(32, 3)
B1, B2, B3 = [torch.zeros(n, requires_grad=True) for n in (32, 32, 3)]
learning_rate = 0.2

for iteration in range(300):
    batch = np.random.choice(120, 30, replace=False)
    H1 = torch.tanh(X_train[batch] @ W1 + B1)
    H2 = torch.tanh(H1 @ W2 + B2)
    out = H2 @ W3 + B3
    loss = torch.nn.functional.cross_entropy(out, Y_train[batch])
    loss.backward()
    for p in (W1, B1, W2, B2, W3, B3):
        p.data -= learning_rate * p.grad
        p.grad = None
    if iteration % 50 == 0:
        print("iteration", iteration, "loss", loss.item())

with torch.no_grad():
    out = torch.tanh(torch.tanh(X_test @ W1 + B1) @ W2 + B2) @ W3 + B3
    print("metric", -torch.nn.functional.cross_entropy(out, Y_test).item())
