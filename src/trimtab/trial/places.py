"""Where a script builds its model, optimizer and loader, computes its loss and steps: lines that advice points to."""

from __future__ import annotations

import os
import sys
import weakref
from collections.abc import Callable
from types import FrameType
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.modules import module as nn_module
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_pre_hook
from torch.utils.data import DataLoader

from trimtab.trial.evaluations import LOSSES
from trimtab.trial.patches import Patches
from trimtab.watching.names import caller


class Places:
    """The first line of the script at which each thing is done: `found` maps remedies' places to `train.py:31`."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self._folder = os.getcwd()
        self._built: weakref.WeakKeyDictionary[nn.Module, str] = weakref.WeakKeyDictionary()
        self._patches = Patches()
        self._patches.wrap(nn.Module, "__init__", self._building)
        for owner, name, place in (
            (Optimizer, "__init__", "optimizer"),
            (DataLoader, "__init__", "data"),
            (torch.Tensor, "backward", "backward"),
            *((F, name, "loss") for name in LOSSES),
        ):
            self._patches.wrap(owner, name, self._noting(place))
        self._handles = [
            nn_module.register_module_forward_pre_hook(self._called),
            register_optimizer_step_pre_hook(lambda *_: self._note("step", sys._getframe(1))),
        ]

    def remove(self) -> None:
        """Look no more."""
        self._patches.remove()
        for handle in self._handles:
            handle.remove()

    def _noting(self, place: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def around(original: Callable[..., Any]) -> Callable[..., Any]:
            def noted(*args: Any, **kwargs: Any) -> Any:
                if place not in self.found and (place != "loss" or torch.is_grad_enabled()):
                    self._note(place, sys._getframe(1))
                return original(*args, **kwargs)

            return noted

        return around

    def _building(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def __init__(module: nn.Module, *args: Any, **kwargs: Any) -> None:
            original(module, *args, **kwargs)
            line = self._line(_outside_of_modules(sys._getframe(1)))
            if line:
                self._built[module] = line

        return __init__

    def _called(self, module: nn.Module, args: Any) -> None:
        if "call" in self.found or not torch.is_grad_enabled() or next(module.parameters(), None) is None:
            return
        self._note("call", _outside_of_modules(sys._getframe(1)))
        if module in self._built:
            self.found.setdefault("model", self._built[module])

    def _note(self, place: str, frame: FrameType | None) -> None:
        line = self._line(frame)
        if line:
            self.found.setdefault(place, line)

    def _line(self, frame: FrameType | None) -> str:
        """`file:line` in the script, relative to the folder in which it runs."""
        frame = caller(frame)
        if frame is None:
            return ""
        file = os.path.abspath(frame.f_code.co_filename)
        inside = file.startswith(self._folder + os.sep)
        return f"{os.path.relpath(file, self._folder) if inside else os.path.basename(file)}:{frame.f_lineno}"


def _outside_of_modules(frame: FrameType | None) -> FrameType | None:
    """The innermost frame that is no method of a module: a model is built where its class is called."""
    start = frame
    while frame is not None and isinstance(frame.f_locals.get("self"), nn.Module):
        frame = frame.f_back
    return frame or start
