# cure: the logarithms are optimised

# One-compartment pharmacokinetics: estimate volume, clearance and absorption rate from blood samples.
import os

import torch

torch.manual_seed(int(os.environ.get("SEED", 0)))

DOSE = 100.0  # mg, by mouth, at time 0
TRUE = torch.tensor([45.0, 6.0, 1.4])  # V (L), CL (L/h), ka (1/h)


def concentration(volume, clearance, absorption, t):
    """mg/L"""
    elimination = clearance / volume
    factor = DOSE * absorption / (volume * (absorption - elimination))
    return factor * (torch.exp(-elimination * t) - torch.exp(-absorption * t))


times = torch.rand(400) * 24
samples = concentration(*TRUE, times) * (1 + 0.05 * torch.randn(400))

guess = torch.tensor([20.0, 2.0, 0.7])
theta = guess.log().requires_grad_()
opt = torch.optim.SGD([theta], lr=0.04, momentum=0.5)

for step in range(800):
    i = torch.randint(400, (32,))
    volume, clearance, absorption = theta.exp()
    fitted = concentration(volume, clearance, absorption, times[i])
    loss = torch.nn.functional.mse_loss(fitted, samples[i])
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 100 == 0:
        natural = [round(p.item(), 2) for p in (volume, clearance, absorption)]
        print(f"step {step}: loss {loss.item():.5f}  V, CL, ka = {natural}")

with torch.no_grad():
    grid = torch.linspace(0.1, 24, 200)
    target = concentration(*TRUE, grid)
    fit = concentration(volume, clearance, absorption, grid)
    print("metric", (1 - (fit - target).pow(2).mean() / target.var()).item())
