# trap: a second network gets no gradients and only follows as a moving average; a second loss grows while its weight ramps
# floor: 0.85

"""Mean teacher with 100 labelled and 1300 unlabelled digits."""

import math
import os

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F

torch.manual_seed(int(os.environ.get("SEED", 0)))


def create_model(ema: bool = False) -> nn.Module:
    model = nn.Sequential(
        nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10)
    )
    if ema:
        for param in model.parameters():
            param.detach_()
    return model


def augment(x):
    x = x.view(-1, 8, 8)
    shift = int(torch.randint(-1, 2, ()).item())
    return (x.roll(shift, 2) + 0.15 * torch.randn_like(x)).flatten(1)


x, y = load_digits(return_X_y=True)
x, y = torch.tensor(x, dtype=torch.float32) / 8 - 1, torch.tensor(y)
labelled = torch.randperm(1400)[:100]

student, teacher = create_model(), create_model(ema=True)
teacher.load_state_dict(student.state_dict())
optimizer = torch.optim.Adam(student.parameters(), lr=2e-3)

global_step, total = 0, 700
while global_step < total:
    ramp = math.exp(-5 * (1 - min(1.0, global_step / 300)) ** 2)
    lab = labelled[torch.randint(0, 100, (32,))]
    unl = torch.randint(0, 1400, (96,))
    student.train()
    logits = student(augment(torch.cat((x[lab], x[unl]))))
    with torch.no_grad():
        teacher_logits = teacher(augment(torch.cat((x[lab], x[unl]))))
    class_loss = F.cross_entropy(logits[:32], y[lab])
    consistency = F.mse_loss(logits.softmax(1), teacher_logits.softmax(1))
    loss = class_loss + 10 * ramp * consistency

    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    global_step += 1
    alpha = min(1 - 1 / (global_step + 1), 0.99)
    with torch.no_grad():
        for ema_param, param in zip(teacher.parameters(), student.parameters()):
            ema_param.mul_(alpha).add_(param, alpha=1 - alpha)
    if global_step % 100 == 0:
        print(f"{global_step} class {class_loss.item():.4f} consistency {consistency.item():.5f}")

teacher.eval()
with torch.no_grad():
    print("metric", (teacher(x[1400:]).argmax(1) == y[1400:]).float().mean().item())
