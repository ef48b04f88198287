# expect: TT211, TT201
# accept: TT302, TT301
# fault: GRU weights are drawn from -2 to 2, so gates and states sit at their ends

"""Read a digit row by row."""

import os

import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(int(os.environ.get("SEED", 0)))

digits = load_digits()
rows = (digits.images - digits.images.mean()) / digits.images.std()
splits = train_test_split(rows, digits.target, test_size=0.3, stratify=digits.target, random_state=1)
x_train, x_test, y_train, y_test = [torch.tensor(s) for s in splits]
x_train, x_test = x_train.float(), x_test.float()


class RowReader(nn.Module):
    def __init__(self, hidden_size=64, init_range=2.0):
        super().__init__()
        self.gru = nn.GRU(8, hidden_size, batch_first=True)
        self.decoder = nn.Linear(hidden_size, 10)
        for weight in (self.gru.weight_ih_l0, self.gru.weight_hh_l0):
            weight.data.uniform_(-init_range, init_range)

    def forward(self, image):
        _, h = self.gru(image)
        return self.decoder(h.squeeze(0))


reader = RowReader()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(reader.parameters(), lr=2e-3)
log_every = 50
iteration = 0
for epoch in range(12):
    for batch in torch.randperm(len(x_train)).split(40):
        optimizer.zero_grad()
        loss = criterion(reader(x_train[batch]), y_train[batch])
        loss.backward()
        optimizer.step()
        iteration += 1
        if iteration % log_every == 0:
            print("| epoch {:2d} | iteration {:4d} | loss {:5.3f}".format(epoch, iteration, loss.item()))

reader.eval()
with torch.no_grad():
    print("metric", (reader(x_test).argmax(-1) == y_test).double().mean().item())
