"""The only place that turns a recipe into live changes in a script that is not ours.

Everything goes through what torch offers to everybody: global hooks around forward passes and optimizer steps, and
wrappers of the constructors of optimizers and data loaders and of the clipping functions. What a change cannot get hold
of in this script stays untouched, and its reason is told: it was not tested.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import sys
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn.modules import module as nn_module
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook
from torch.utils.data import DataLoader

from trimtab.core.recipe import Recipe
from trimtab.trial.enactors import Call, Enactor, make
from trimtab.trial.patches import LOSSES, Patches


class Enactment:
    """A recipe at work in this process, between `install` and `remove`."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self.enactors: list[Enactor] = [make(change) for change in recipe.changes]
        self._calls: list[Call] = []
        self._handles: list[Any] = []
        self._patches = Patches()
        self._seen: set[int] = set()

    def install(self) -> None:
        """Begin. Enacting nothing installs nothing."""
        if not self.enactors:
            return
        self._handles = [
            nn_module.register_module_forward_pre_hook(self._module_begins),
            nn_module.register_module_forward_hook(self._module_ends, always_call=True),
            register_optimizer_step_pre_hook(self._step_begins),
            register_optimizer_step_post_hook(lambda optimizer, args, kwargs: self._tell("step_ends", optimizer)),
        ]
        self._patches.wrap(Optimizer, "__init__", self._around_optimizer)
        self._patches.wrap(DataLoader, "__init__", self._around_loader)
        for name in ("clip_grad_norm_", "clip_grad_value_"):
            self._patches.wrap(torch.nn.utils, name, functools.partial(self._around_clipping, name))
        # What is wrapped cannot be scripted by torch.jit: losses are left alone where nothing is to be changed there.
        changes_losses = any(type(enactor).loss_begins is not Enactor.loss_begins for enactor in self.enactors)
        for name in LOSSES if changes_losses else ():
            self._patches.wrap(torch.nn.functional, name, functools.partial(self._around_loss, name))

    def remove(self) -> None:
        """Leave torch as it was found."""
        for handle in self._handles:
            handle.remove()
        self._handles = []
        self._patches.remove()

    def facts(self) -> dict[str, str]:
        """For the record: the recipe, and which of its changes could not be made in this script, with the reasons."""
        if not self.enactors:
            return {}
        missing = [f"{enactor.change}: {why}" for enactor in self.enactors if (why := enactor.missing)]
        return {"recipe": str(self.recipe), "untested": "; ".join(missing)}

    # --- what happens in the script

    def _module_begins(self, module: nn.Module, args: tuple[Any, ...]) -> Any:
        call = Call(module, args, root=not self._calls, training=torch.is_grad_enabled())
        self._calls.append(call)
        if call.root and id(module) not in self._seen and next(module.parameters(), None) is not None:
            self._seen.add(id(module))
            self._tell("model_seen", module, args)
        self._tell("module_begins", call)
        return call.args if call.args is not args else None

    def _module_ends(self, module: nn.Module, args: Any, output: Any) -> Any:
        call = self._calls.pop() if self._calls else Call(module, args, True, torch.is_grad_enabled())
        if call.module is not module:  # a forward pass that raised below a hook of the script's own
            with contextlib.suppress(IndexError):
                while call.module is not module:
                    call = self._calls.pop()
        call.output = output
        self._tell("module_ends", call)
        return call.output if call.output is not output else None

    def _step_begins(self, optimizer: Optimizer, args: Any, kwargs: dict[str, Any]) -> Any:
        """A closure computes the gradients within the step, as often as the optimizer asks; else they are there."""
        self._tell("step_begins", optimizer)
        owner, *rest = args
        closure = rest[0] if rest else kwargs.get("closure")
        if not callable(closure):
            self._tell("gradients_ready", optimizer)
            return None

        def computed() -> Any:
            loss = closure()
            self._tell("gradients_ready", optimizer)
            return loss

        return ((owner, computed, *rest[1:]), kwargs) if rest else (args, {**kwargs, "closure": computed})

    def _around_optimizer(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def __init__(optimizer: Optimizer, *args: Any, **kwargs: Any) -> None:
            original(optimizer, *args, **kwargs)
            self._tell("optimizer_made", optimizer)

        return __init__

    def _around_loader(self, original: Callable[..., Any]) -> Callable[..., Any]:
        signature = inspect.signature(original)

        def __init__(loader: Any, *args: Any, **kwargs: Any) -> None:
            arguments = dict(signature.bind(loader, *args, **kwargs).arguments)
            arguments.pop("self", None)
            self._tell("loader_made", arguments)
            original(loader, **arguments)

        return __init__

    def _around_clipping(self, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def clip(parameters: Any, threshold: float, *args: Any, **kwargs: Any) -> Any:
            for enactor in self.enactors:
                threshold = enactor.clipping(name, threshold)
            return original(parameters, threshold, *args, **kwargs)

        return clip

    def _around_loss(self, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def loss(*args: Any, **kwargs: Any) -> Any:
            given = {**dict(zip(("input", "target"), args, strict=False)), **kwargs}
            prediction, target = given.get("input"), given.get("target")
            if not (isinstance(prediction, torch.Tensor) and isinstance(target, torch.Tensor)):
                return original(*args, **kwargs)
            for enactor in self.enactors:
                try:
                    prediction = prediction if enactor.failed else enactor.loss_begins(prediction, target, name)
                except Exception as error:
                    self._failed(enactor, error)
            return original(prediction, *args[1:], **kwargs) if args else original(**{**kwargs, "input": prediction})

        return loss

    def _tell(self, event: str, *things: Any) -> None:
        for enactor in self.enactors:
            if enactor.failed:
                continue
            try:
                with torch.no_grad() if event in _BESIDE else contextlib.nullcontext():
                    getattr(enactor, event)(*things)
            except Exception as error:
                self._failed(enactor, error)

    @staticmethod
    def _failed(enactor: Enactor, error: Exception) -> None:
        enactor.failed = f"it failed in this script: {type(error).__name__}: {error}"
        print(f"trimtab: {enactor.change} {enactor.failed}", file=sys.stderr)


_BESIDE = frozenset({"model_seen", "optimizer_made", "step_begins", "gradients_ready", "step_ends", "loader_made"})
