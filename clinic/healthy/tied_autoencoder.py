# trap: the decoder owns no matrix: it uses the transposed matrices of the encoder, which get gradients from both places
# floor: 0.8

import os

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

torch.manual_seed(int(os.environ.get("SEED", 0)))


class TiedAutoencoder(nn.Module):
    def __init__(self, sizes=(64, 48, 16)):
        super().__init__()
        self.weights = nn.ParameterList()
        self.enc_bias = nn.ParameterList()
        self.dec_bias = nn.ParameterList()
        for fan_in, fan_out in zip(sizes[:-1], sizes[1:]):
            w = torch.empty(fan_out, fan_in)
            nn.init.orthogonal_(w)
            self.weights.append(nn.Parameter(w))
            self.enc_bias.append(nn.Parameter(torch.zeros(fan_out)))
            self.dec_bias.append(nn.Parameter(torch.zeros(fan_in)))

    def encode(self, x):
        for i, (w, b) in enumerate(zip(self.weights, self.enc_bias)):
            x = F.linear(x, w, b)
            if i < len(self.weights) - 1:
                x = F.elu(x)
        return x

    def decode(self, z):
        for i in reversed(range(len(self.weights))):
            z = F.linear(z, self.weights[i].t(), self.dec_bias[i])
            if i > 0:
                z = F.elu(z)
        return z

    def forward(self, x):
        return self.decode(self.encode(x))


X = torch.tensor(load_digits().data, dtype=torch.float32) / 16
X = X - X[:1400].mean(0)
train, test = X[:1400], X[1400:]

ae = TiedAutoencoder()
opt = torch.optim.RMSprop(ae.parameters(), lr=1e-3)
for epoch in range(25):
    perm, tot = torch.randperm(1400), 0.0
    for k in range(0, 1400, 100):
        batch = train[perm[k : k + 100]]
        loss = F.mse_loss(ae(batch), batch)
        opt.zero_grad()
        loss.backward()
        opt.step()
        tot += loss.item()
    if epoch % 4 == 0:
        print("epoch {} mse {:.5f}".format(epoch, tot / 14))

with torch.no_grad():
    explained = 1 - (ae(test) - test).pow(2).sum() / test.pow(2).sum()
print("metric", explained.item())
