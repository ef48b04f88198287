# trap: zero start, autograd.grad, parameters replaced by new tensors at each step; no module, no optimizer
# floor: 0.9

"""Softmax regression on polynomial features of iris, full batch, in the manner of a lecture."""

import os

import torch
from sklearn.datasets import load_iris
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

torch.manual_seed(int(os.environ.get("SEED", 0)))

iris = load_iris()
perm = torch.randperm(150).numpy()
features = PolynomialFeatures(2, include_bias=False).fit_transform(iris.data)[perm]
features = StandardScaler().fit(features[:105]).transform(features)
X, Y = torch.tensor(features, dtype=torch.float64), torch.tensor(iris.target[perm])
Xtr, Ytr, Xte, Yte = X[:105], Y[:105], X[105:], Y[105:]


def J(theta, b):
    logp = torch.log_softmax(Xtr @ theta + b, dim=1)
    return -logp[torch.arange(len(Ytr)), Ytr].mean() + 0.5e-3 * (theta**2).sum()


theta = torch.zeros(X.shape[1], 3, dtype=torch.float64, requires_grad=True)
b = torch.zeros(3, dtype=torch.float64, requires_grad=True)
alpha = 0.2
for k in range(1500):
    cost = J(theta, b)
    dtheta, db = torch.autograd.grad(cost, (theta, b))
    theta = (theta - alpha * dtheta).detach().requires_grad_()
    b = (b - alpha * db).detach().requires_grad_()
    if k % 300 == 0:
        print(f"k={k}  J={cost.item():.6f}  |grad|={dtheta.norm().item():.2e}")

accuracy = ((Xte @ theta + b).argmax(1) == Yte).double().mean()
print("metric", accuracy.item())
