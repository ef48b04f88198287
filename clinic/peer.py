"""torchmortem on the same programs: `python -m clinic.peer PROGRAM OUT` runs one under it and writes what it found.

Its README asks for `Autopsy(model, optimizer=optimizer)` around the loop and `autopsy.step(loss=loss.item())` after
each step. That is done here from outside: the model is the first one called whose parameters an optimizer holds, the
loss is the scalar of the last `backward`. Of a program that it cannot be given (no module with an optimizer) it says
nothing.
"""

from __future__ import annotations

import json
import runpy
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clinic.launch import launch
from clinic.programs import Program

# What each of its categories can stand for: any of them counts as right where the program expects it.
MEANS = {
    "gradient_flow": ("TT301", "TT302", "TT303", "TT201"),
    "dead_units": ("TT212",),
    "saturation": ("TT211",),
    "update_ratio": ("TT401", "TT402"),
    "loss_dynamics": ("TT401", "TT403", "TT601", "TT602"),
    "gradient_noise": ("TT305",),
    "weight_norm": ("TT213", "TT408"),
    "rank_collapse": (),
}


@dataclass(frozen=True)
class PeerScore:
    """What the peer said: the categories of its warnings and critical findings, in its order."""

    program: Program
    categories: tuple[str, ...]
    error: str = ""

    @property
    def right(self) -> bool:
        """As generous as can be: the first finding's category could mean an expected code."""
        return bool(self.categories) and bool(set(MEANS.get(self.categories[0], ())) & set(self.program.expect))


def examine_by_peer(program: Program) -> PeerScore:
    """Run one program under torchmortem, in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="clinic-") as folder:
        out = Path(folder) / "peer.json"
        done = launch(
            [sys.executable, "-m", "clinic.peer", str(program.path), str(out)], python_path=program.path.parents[2]
        )
        if not out.exists():
            return PeerScore(program, (), done.stderr.strip()[-200:] or f"exit {done.returncode}")
        return PeerScore(program, tuple(json.loads(out.read_text(encoding="utf-8"))))


class Adapter:
    """Gives torchmortem what its README asks for, as the program goes."""

    def __init__(self) -> None:
        self.autopsy: Any = None
        self._optimizers: list[Any] = []
        self._loss: Any = None

    def install(self) -> None:
        """Listen to optimizers, forward passes, losses and steps."""
        import torch
        from torch.nn.modules.module import register_module_forward_pre_hook
        from torch.optim.optimizer import register_optimizer_step_post_hook

        made, backward = torch.optim.Optimizer.__init__, torch.autograd.backward

        def remember(optimizer: Any, *args: Any, **kwargs: Any) -> None:
            made(optimizer, *args, **kwargs)
            self._optimizers.append(optimizer)

        def keep(tensors: Any, *args: Any, **kwargs: Any) -> Any:
            if isinstance(tensors, torch.Tensor) and tensors.numel() == 1:
                self._loss = tensors.detach()
            return backward(tensors, *args, **kwargs)

        torch.optim.Optimizer.__init__, torch.autograd.backward = remember, keep
        register_module_forward_pre_hook(lambda module, args: self._called(module))
        register_optimizer_step_post_hook(lambda optimizer, args, kwargs: self._stepped(optimizer))

    def _called(self, module: Any) -> None:
        if self.autopsy is not None:
            return
        own = {id(p) for p in module.parameters()}
        for optimizer in self._optimizers:
            if any(id(p) in own for group in optimizer.param_groups for p in group["params"]):
                from torchmortem import Autopsy

                self.autopsy = Autopsy(module, optimizer=optimizer)
                self.autopsy.attach()
                return

    def _stepped(self, optimizer: Any) -> None:
        if self.autopsy is not None and self._loss is not None:
            self.autopsy.step(loss=self._loss.item())

    def categories(self) -> list[str]:
        """The categories of the warnings and critical findings, gravest first, as its report has them."""
        if self.autopsy is None:
            return []
        self.autopsy.detach()
        report = self.autopsy.get_report()
        return [finding.category for finding in report.findings if finding.severity.name != "INFO"]


def main(script: str, out: str) -> None:
    """Run a program under torchmortem."""
    adapter = Adapter()
    adapter.install()
    sys.argv = [script]
    try:
        runpy.run_path(script, run_name="__main__")
    finally:
        Path(out).write_text(json.dumps(adapter.categories()), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:3])
