# cure: cut to a norm of 1

# Breast cancer classifier, per-tensor gradient clipping by hand (after a DP-SGD tutorial, without the noise)
import os

import torch
from sklearn.datasets import load_breast_cancer

torch.manual_seed(int(os.environ.get("SEED", 0)))

BOUND = 1.0
LR = 0.1
N_TRAIN = 430

raw = load_breast_cancer()
features = torch.tensor(raw.data).float()
features = (features - features[:N_TRAIN].mean(0)) / features[:N_TRAIN].std(0)
malignant = torch.tensor(1 - raw.target).float()


def clip_(tensors, bound):
    for t in tensors:
        norm = t.norm()
        if norm > bound:
            t.mul_(bound / norm)


mlp = torch.nn.Sequential(torch.nn.Linear(30, 24), torch.nn.ELU(), torch.nn.Linear(24, 1))
params = list(mlp.parameters())
sgd = torch.optim.SGD(params, lr=LR)

for step in range(800):
    rows = torch.randint(N_TRAIN, (32,))
    loss = torch.nn.functional.binary_cross_entropy_with_logits(mlp(features[rows])[:, 0], malignant[rows])
    grads = list(torch.autograd.grad(loss, params))
    clip_(grads, BOUND)
    for p, g in zip(params, grads):
        p.grad = g
    sgd.step()
    if step % 200 == 199:
        print("step", step + 1, "bce", loss.item())

with torch.no_grad():
    test_loss = torch.nn.functional.binary_cross_entropy_with_logits(mlp(features[N_TRAIN:])[:, 0], malignant[N_TRAIN:])
print("metric", -test_loss.item())
