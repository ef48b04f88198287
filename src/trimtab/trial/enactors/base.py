"""What a change in a live script is: a few events that it may act on, and whether it could."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor, nn
from torch.optim import Optimizer

from trimtab.core.recipe import Change


class Call:
    """One forward pass of a module. `args` and `output` may be replaced; `training`: gradients are on."""

    __slots__ = ("args", "module", "output", "root", "training")

    def __init__(self, module: nn.Module, args: tuple[Any, ...], root: bool, training: bool) -> None:
        self.module, self.args, self.root, self.training = module, args, root, training
        self.output: Any = None


class Enactor:
    """One change. Subclasses override the events that they need and count in `done` how often they took effect."""

    names: ClassVar[tuple[str, ...]] = ()
    nothing_found: ClassVar[str] = "nothing in this script to apply it to"

    def __init__(self, change: Change) -> None:
        self.change = change
        self.done = 0
        self.failed = ""

    @property
    def missing(self) -> str:
        """Why the change was not made; empty where it was."""
        return self.failed or ("" if self.done else self.nothing_found)

    def model_seen(self, model: nn.Module, args: tuple[Any, ...]) -> None:
        """A model is called for the first time, from no other module."""

    def module_begins(self, call: Call) -> None:
        """A module is called."""

    def module_ends(self, call: Call) -> None:
        """A module returns."""

    def optimizer_made(self, optimizer: Optimizer) -> None:
        """The script makes an optimizer."""

    def loader_made(self, arguments: dict[str, Any]) -> None:
        """The script makes a DataLoader; its arguments may be changed."""

    def clipping(self, function: str, threshold: float) -> float:
        """The script clips its gradients; returns the threshold that is to be used."""
        return threshold

    def loss_begins(self, prediction: Tensor, target: Tensor, name: str) -> Tensor:
        """A loss function of torch is called; returns the prediction that it is to be given."""
        return prediction

    def step_begins(self, optimizer: Optimizer) -> None:
        """An optimizer is about to step."""

    def gradients_ready(self, optimizer: Optimizer) -> None:
        """The gradients of a step are complete; where the step has a closure, each time that it has computed them."""

    def step_ends(self, optimizer: Optimizer) -> None:
        """An optimizer has stepped."""
