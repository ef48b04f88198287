# trap: five models and optimizers one after the other; each fold stops early and takes back the best weights
# floor: 0.9

import copy
import os

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler

SEED = int(os.environ.get("SEED", 0))
torch.manual_seed(SEED)

X, y = load_breast_cancer(return_X_y=True)
kfold = StratifiedKFold(n_splits=5, shuffle=True, random_state=SEED)


def make_model():
    return torch.nn.Sequential(
        torch.nn.Linear(X.shape[1], 16), torch.nn.ReLU(), torch.nn.Dropout(0.2), torch.nn.Linear(16, 1)
    )


def train_fold(train_idx, patience=6):
    np.random.RandomState(SEED).shuffle(train_idx)
    fit_idx, stop_idx = train_idx[60:], train_idx[:60]
    scaler = StandardScaler().fit(X[fit_idx])
    to_t = lambda idx: (torch.Tensor(scaler.transform(X[idx])), torch.Tensor(y[idx]))  # noqa: E731
    (x_fit, y_fit), (x_stop, y_stop) = to_t(fit_idx), to_t(stop_idx)
    model = make_model()
    loss_fn = torch.nn.BCEWithLogitsLoss()
    opt = torch.optim.Adam(model.parameters(), lr=5e-3)
    best, best_state, waited = np.inf, None, 0
    for epoch in range(60):
        model.train()
        for i in torch.randperm(len(x_fit)).split(32):
            opt.zero_grad()
            loss = loss_fn(model(x_fit[i]).ravel(), y_fit[i])
            loss.backward()
            opt.step()
        model.eval()
        with torch.no_grad():
            val = loss_fn(model(x_stop).ravel(), y_stop).item()
        if val < best - 1e-4:
            best, best_state, waited = val, copy.deepcopy(model.state_dict()), 0
        else:
            waited += 1
            if waited == patience:
                break
    model.load_state_dict(best_state)
    return model.eval(), scaler, epoch, best


scores = []
for fold, (train_idx, test_idx) in enumerate(kfold.split(X, y)):
    model, scaler, epochs, val = train_fold(train_idx)
    with torch.no_grad():
        pred = model(torch.Tensor(scaler.transform(X[test_idx]))).ravel().numpy() > 0
    scores.append((pred == y[test_idx]).mean())
    print("fold %d: stopped after epoch %d, val loss %.4f, accuracy %.4f" % (fold, epochs, val, scores[-1]))
print("metric", float(np.mean(scores)))
