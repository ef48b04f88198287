"""Where the watcher touches torch: five places while it runs, module hooks only on steps that are looked at.

Everything that a hook calls is guarded: an error of trimtab's own ends the watching, never the training.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, Protocol

import torch
from torch import nn
from torch.amp.grad_scaler import GradScaler
from torch.nn.modules import module as nn_module
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from trimtab.watching.graph import in_backward

_GRAD = ("outputs", "inputs", "grad_outputs", "retain_graph", "create_graph")  # as torch.autograd.grad takes them


class Observer(Protocol):
    """What the hooks report to.

    `looking`: whether the step under way is looked at. `busy`: it is at work itself. `steps_are_plain`: no optimizer
    was seen to call another's step or a closure, so that the end of a step says all.
    """

    looking: bool
    busy: bool

    @property
    def steps_are_plain(self) -> bool: ...

    def backward_begins(self, tensors: Any) -> None: ...
    def backward_ends(self) -> None: ...
    def backward_failed(self) -> None: ...
    def grad_begins(self, outputs: Any, inputs: Any) -> bool | None: ...
    def grad_ends(self, inputs: Any, gradients: Any) -> None: ...
    def step_begins(self, optimizer: Optimizer, has_closure: bool, frame: FrameType) -> None: ...
    def step_ends(self, optimizer: Optimizer) -> None: ...
    def optimizer_made(self, optimizer: Optimizer) -> None: ...
    def loss_scaled(self, scaler: GradScaler, outputs: Any, scaled: Any) -> None: ...
    def module_begins(self, module: nn.Module) -> None: ...
    def module_ends(self, module: nn.Module, output: Any) -> None: ...
    def compile_called(self, model: Any) -> None: ...
    def gradient_turned_off(self, frame: FrameType) -> None: ...
    def model_called(self, module: nn.Module) -> None: ...


class Hooks:
    """All hooks of one watcher. `install` and `remove` are inverse; `arm` and `disarm` are for single steps."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._active = False
        self._patches: list[tuple[Any, str, Any, Any]] = []
        self._handles: list[Any] = []
        self._module_handles: list[Any] = []
        self._step_handles: list[Any] = []
        self._listening: Any = None
        self._compiled = False

    def install(self) -> None:
        """Begin to watch backward passes, optimizer steps, loss scalers and the making of optimizers."""
        self._active = True
        self._patch(torch.autograd, "backward", self._around_backward)
        self._patch(torch.autograd, "grad", self._around_grad)
        self._patch(Optimizer, "__init__", self._around_init)
        self._patch(GradScaler, "scale", self._around_scale)
        self._patch(torch, "compile", self._around_compile)
        for context in (torch.no_grad, torch.inference_mode):
            self._patch(context, "__enter__", self._around_enter)
        self._handles = [
            register_optimizer_step_post_hook(lambda optimizer, args, kwargs: self._observer.step_ends(optimizer))
        ]
        self._expect_steps()

    def remove(self) -> None:
        """Leave torch as it was found."""
        self.disarm()
        self.stop_listening()
        self._active = False
        for handle in (*self._handles, *self._step_handles):
            handle.remove()
        self._step_handles = []
        for owner, name, original, wrapper in reversed(self._patches):
            # Somebody else may have wrapped ours since: it stays, and only passes on.
            if vars(owner).get(name) is wrapper:
                setattr(owner, name, _below_inactive(original))
        self._handles, self._patches = [], []

    def arm(self) -> None:
        """Hook the forward passes of all modules, about 3 µs a call, and the beginnings of steps: only for looks.

        Never in a program that compiles: torch warns of global hooks there, and would compile anew as they come and go.
        """
        self._expect_steps()
        if not self._module_handles and not self._compiled:
            self._module_handles = [
                nn_module.register_module_forward_pre_hook(self._module_begins),
                nn_module.register_module_forward_hook(self._module_ends),
            ]

    def disarm(self) -> None:
        """Give forward passes their fast path back, and steps as well where nothing depends on how they begin."""
        for handle in self._module_handles:
            handle.remove()
        self._module_handles = []
        if self._observer.steps_are_plain:
            for handle in self._step_handles:
                handle.remove()
            self._step_handles = []

    def listen(self) -> None:
        """Hear of the next calls of modules, until `stop_listening`."""
        if self._listening is None and not self._compiled:
            self._listening = nn_module.register_module_forward_pre_hook(self._model_called)

    def stop_listening(self) -> None:
        """Hear no more of calls."""
        if self._listening is not None:
            self._listening.remove()
            self._listening = None

    @property
    def expecting_steps(self) -> bool:
        """Whether the beginnings of steps are reported."""
        return bool(self._step_handles)

    def _expect_steps(self) -> None:
        if not self._step_handles:
            self._step_handles = [register_optimizer_step_pre_hook(self._step_begins)]

    def _step_begins(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        has_closure = (len(args) > 1 and args[1] is not None) or kwargs.get("closure") is not None
        self._observer.step_begins(optimizer, has_closure, sys._getframe(1))

    def _module_begins(self, module: nn.Module, args: Any) -> None:
        if not torch.compiler.is_compiling():
            self._observer.module_begins(module)

    def _module_ends(self, module: nn.Module, args: Any, output: Any) -> None:
        if not torch.compiler.is_compiling():
            self._observer.module_ends(module, output)

    def _model_called(self, module: nn.Module, args: Any) -> None:
        if not torch.compiler.is_compiling():
            self._observer.model_called(module)

    def _patch(self, owner: Any, name: str, around: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
        original = vars(owner)[name]
        wrapper: Any = functools.wraps(original)(around(original))
        wrapper.trimtab_hooks = self
        self._patches.append((owner, name, original, wrapper))
        setattr(owner, name, wrapper)

    def _around_backward(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def backward(*args: Any, **kwargs: Any) -> Any:
            # A backward inside a backward (reentrant checkpointing) belongs to the outer one.
            if not self._active or in_backward() != -1:
                return original(*args, **kwargs)
            self._observer.backward_begins(args[0] if args else kwargs.get("tensors"))
            if not self._observer.looking:
                return original(*args, **kwargs)
            try:
                result = original(*args, **kwargs)
            except BaseException:
                self._observer.backward_failed()
                raise
            self._observer.backward_ends()
            return result

        return backward

    def _around_grad(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def grad(*args: Any, **kwargs: Any) -> Any:
            given = {**dict(zip(_GRAD, args, strict=False)), **kwargs}
            # Gradients that are to be differentiated again are part of a loss, not of a descent.
            plain = self._active and in_backward() == -1 and not given.get("create_graph")
            looking = plain and self._observer.grad_begins(given.get("outputs"), given.get("inputs"))
            if not looking:
                return original(*args, **kwargs)
            try:
                gradients = original(*args, **kwargs)
            except BaseException:
                self._observer.backward_failed()
                raise
            self._observer.grad_ends(given.get("inputs"), gradients)
            return gradients

        return grad

    def _around_init(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def __init__(optimizer: Optimizer, *args: Any, **kwargs: Any) -> None:
            original(optimizer, *args, **kwargs)
            if self._active:
                self._observer.optimizer_made(optimizer)

        return __init__

    def _around_compile(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def compile(model: Any = None, *args: Any, **kwargs: Any) -> Any:
            if self._active and not self._compiled:
                self._compiled = True
                self.disarm()
            if self._active:
                self._observer.compile_called(model)
            return original(model, *args, **kwargs)

        return compile

    def _around_enter(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def __enter__(context: Any) -> Any:
            if self._active and not self._observer.busy:
                self._observer.gradient_turned_off(sys._getframe(1))
            return original(context)

        return __enter__

    def _around_scale(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def scale(scaler: GradScaler, outputs: Any, *args: Any, **kwargs: Any) -> Any:
            scaled = original(scaler, outputs, *args, **kwargs)
            if self._active:
                self._observer.loss_scaled(scaler, outputs, scaled)
            return scaled

        return scale


def _below_inactive(function: Any) -> Any:
    """What lies beneath wrappers of watchers that have ended before the one that wrapped them."""
    while (hooks := vars(function).get("trimtab_hooks")) is not None and not hooks._active:
        function = function.__wrapped__
    return function
