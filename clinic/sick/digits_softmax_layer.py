# expect: TT603
# accept: TT402, TT403
# fault: the net ends in a softmax and the loss applies another one

# My first neural network
import os
import torch
from torch import nn
from sklearn import datasets
from sklearn.model_selection import train_test_split

torch.manual_seed(int(os.environ.get("SEED", 0)))

# load the data
digits = datasets.load_digits()
X_train, X_test, y_train, y_test = train_test_split(
    digits.data / 8.0 - 1.0, digits.target, test_size=0.25, random_state=42
)
X_train = torch.FloatTensor(X_train)
X_test = torch.FloatTensor(X_test)
y_train = torch.LongTensor(y_train)
y_test = torch.LongTensor(y_test)

# make the network
input_size = 64
hidden_sizes = [64, 32]
output_size = 10
model = nn.Sequential(
    nn.Linear(input_size, hidden_sizes[0]),
    nn.ReLU(),
    nn.Linear(hidden_sizes[0], hidden_sizes[1]),
    nn.ReLU(),
    nn.Linear(hidden_sizes[1], output_size),
    nn.Softmax(dim=1),
)
print(model)

loss_function = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.5)

# train it
losses = []
for epoch in range(12):
    shuffled = torch.randperm(len(X_train))
    for i in range(0, len(X_train), 32):
        batch = shuffled[i : i + 32]
        output = model(X_train[batch])
        loss = loss_function(output, y_train[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    losses.append(loss.item())
    print("Epoch " + str(epoch) + " - Training loss: " + str(losses[-1]))

# test it
with torch.no_grad():
    _, predicted = torch.max(model(X_test), 1)
accuracy = (predicted == y_test).sum().item() / len(y_test)
print("metric", accuracy)
