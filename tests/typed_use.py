"""What a typed program writes against trimtab: `.ci/wheels` holds it to mypy --strict and pyright, as installed."""

from __future__ import annotations

import torch
from torch import nn

import trimtab
from trimtab.core.finding import Diagnosis, Finding


def train(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> Diagnosis:
    """A loop under the watcher, with components of trimtab."""
    trimtab.init.initialize(model, example=x)
    optimizer = trimtab.optim.AdamW(
        model.parameters(), lr=1e-3, clip=trimtab.clip.ClipByNorm(1.0), average=trimtab.average.EMA(0.99)
    )
    with trimtab.watch(model, optimizer, budget=3.0) as trace:
        for _ in range(40):
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(x), y)
            loss.backward()  # type: ignore[no-untyped-call]  # torch's own, to mypy
            optimizer.step()
    return trimtab.diagnose(trace, ignore=["TT305"])


def roots(diagnosis: Diagnosis) -> list[str]:
    """The codes of the root causes."""
    found: tuple[Finding, ...] = diagnosis.roots
    return [finding.code for finding in found]


def main() -> None:
    """Train a small network with a normalisation of trimtab's."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), trimtab.nn.LayerNorm(8), nn.ReLU(), nn.Linear(8, 1))
    x = trimtab.data.Standardizer().fit(torch.randn(64, 4)).transform(torch.randn(64, 4))
    print(trimtab.__version__, roots(train(model, x, x.sum(1, keepdim=True))))


if __name__ == "__main__":
    main()
