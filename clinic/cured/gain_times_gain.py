# cure: a start off that line

# Two amplifiers in series and an offset: find both gains from input and output.
import os
import torch

torch.manual_seed(int(os.environ.get("SEED", 0)))

voltage = torch.randn(600)
output = 1.8 * voltage + 0.4 + 0.1 * torch.randn(600)
train_v, test_v = voltage[:400], voltage[400:]
train_out, test_out = output[:400], output[400:]

gain1 = torch.tensor(0.9, requires_grad=True)
gain2 = torch.tensor(-0.3, requires_grad=True)
offset = torch.tensor(0.0, requires_grad=True)

opt = torch.optim.SGD([gain1, gain2, offset], lr=0.02)
trace = []
for step in range(150):
    i = torch.randint(400, (40,))
    predicted = gain2 * (gain1 * train_v[i]) + offset
    loss = torch.mean((predicted - train_out[i]) ** 2)
    opt.zero_grad()
    loss.backward()
    opt.step()
    trace.append((gain1.item(), gain2.item()))

for step in range(0, 150, 30):
    print("step %3d  gains (%+.4f, %+.4f)" % (step, *trace[step]))
with torch.no_grad():
    error = gain1 * gain2 * test_v + offset - test_out
print("metric", 1 - float(error.var() / test_out.var()))
