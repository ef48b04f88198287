"""One run of a model on an example: its weight layers in execution order, what feeds and what follows each."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from trimtab.init.branches import mark_residual
from trimtab.init.calls import Call, Trace
from trimtab.init.carrying import Carried, storage_of
from trimtab.init.following import is_pointwise, is_sum, makes_anew, passed_on
from trimtab.init.layers import is_norm, weight_layers
from trimtab.init.running import forward, outputs, tensors
from trimtab.init.signals import Signal, merged

OnOutput = Callable[[Call, Tensor], None]
OnActivation = Callable[[Call, str, Tensor], Any]


def trace(
    model: nn.Module,
    example: Any,
    on_output: OnOutput | None = None,
    on_activation: OnActivation | None = None,
) -> Trace:
    """Run the model on the example and follow the signal through it, functional code and raw operations included.

    `on_output` is called with each weight layer's output; `on_activation` with the name of each function that comes
    after and what it makes of it, and its result is kept with the call if the signal goes on from there: a square of
    which a norm takes the mean is no activation. The caller holds the model `untouched`.
    """
    follower = _Follower(on_activation)
    with ExitStack() as stack:
        for name, module in weight_layers(model).items():
            follower.attend(stack, module, name, on_output)
        for name, module in model.named_modules():
            if is_norm(module):
                follower.attend_norm(stack, module, name)
        for place, tensor in enumerate(tensors(example)):
            follower.carried.put(tensor, Signal(ancestors=frozenset({-1 - place})))
        with follower:
            follower.trace.output = forward(model, example)
        follower.end()
    return follower.trace


class _Follower(TorchDispatchMode):
    """Passes the signals on from each operation's arguments to its result."""

    def __init__(self, on_activation: OnActivation | None) -> None:
        super().__init__()
        self.trace = Trace()
        self._on_activation = on_activation
        self.carried = Carried()
        self._inside = 0  # of a layer: its own operations are not followed
        self._entering: list[tuple[Signal, int | None]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        if not self._inside and torch._C._current_graph_task_id() == -1:  # not in a backward pass of the model's own
            self._follow(func, args, kwargs, out)
        return out

    def _follow(self, func: Any, args: Any, kwargs: Any, out: Any) -> None:
        made = list(tensors(out))
        carried = [(t, s) for t in tensors((args, kwargs)) if (s := self.carried.get(t)) is not None]
        if not made or (not func._schema.is_mutable and any(storage_of(made[0]) == storage_of(t) for t, _ in carried)):
            return  # a view
        if not carried or makes_anew(func):
            for tensor in made:
                self.carried.put(tensor, None)
            return
        signal = passed_on(func, args, kwargs, carried)
        if len(carried) == 2 and is_pointwise(func) and is_sum(func):
            mark_residual(self.trace, *(s for _, s in carried))
        for _, used in carried:
            if used.calls != signal.calls:
                self._use(used)
        if signal.names and all(signal.factors is not s.factors or signal.names != s.names for _, s in carried):
            signal = self._measured(signal, made[0])
        for tensor in made:
            self.carried.put(tensor, signal)

    def _measured(self, signal: Signal, made: Tensor) -> Signal:
        """The signal after one more function, with what `on_activation` says of it."""
        if self._on_activation is None or not signal.open:
            return signal
        call = self.trace.calls[min(signal.open)]
        return replace(signal, activated=self._on_activation(call, signal.names[-1], made))

    def _use(self, signal: Signal) -> None:
        """The signal goes on from here: what came since the layers that it is the output of, is their activation."""
        for index in signal.open:
            call = self.trace.calls[index]
            if signal.names and not call.names:
                call.names, call.factors, call.activated = signal.names, signal.factors, signal.activated

    def end(self) -> None:
        """What the model returns has been used."""
        for tensor in outputs(self.trace.output):
            signal = self.carried.get(tensor)
            if signal is not None:
                self._use(signal)

    def attend(self, stack: ExitStack, module: nn.Module, name: str, on_output: OnOutput | None) -> None:
        """Follow a weight layer as a whole: its output is a signal of its own."""

        def after(signal: Signal, key: int | None, output: Any) -> None:
            call, made = self._call(name, signal, key), list(tensors(output))
            own = frozenset({call.index})
            if made and on_output is not None:
                on_output(call, made[0])
            for tensor in made:
                self.carried.put(tensor, Signal(own, signal.ancestors | own, call.depth, own))

        self._hook(stack, module, after)

    def attend_norm(self, stack: ExitStack, module: nn.Module, name: str) -> None:
        """Follow a normalisation layer as a whole: the signal goes through it."""

        def after(signal: Signal, key: int | None, output: Any) -> None:
            for tensor in tensors(output):
                self.carried.put(tensor, replace(signal, norm=name))

        self._hook(stack, module, after)

    def _hook(self, stack: ExitStack, module: nn.Module, after: Callable[[Signal, int | None, Any], None]) -> None:
        """Call `after` with the signal that entered, its storage, and the output; not if the module failed."""

        def enter(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            self._enter(args, kwargs)

        def leave(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
            signal, key = self._entering.pop()
            if output is not None:
                after(signal, key, output)
            self._inside -= 1

        stack.callback(module.register_forward_pre_hook(enter, with_kwargs=True).remove)
        stack.callback(module.register_forward_hook(leave, with_kwargs=True, always_call=True).remove)

    def _enter(self, args: Any, kwargs: Any) -> None:
        found = [(t, s) for t in tensors((args, kwargs)) if (s := self.carried.get(t)) is not None]
        if len(found) > 1:
            for _, signal in found:
                self._use(signal)
        self._inside += 1
        self._entering.append((merged(s for _, s in found), storage_of(found[0][0])) if found else (Signal(), None))

    def _call(self, name: str, signal: Signal, key: int | None) -> Call:
        self._use(signal)
        index = len(self.trace.calls)
        ancestors = frozenset(i for i in signal.ancestors if i >= 0)
        call = Call(index, name, signal.calls, ancestors, signal.depth + 1, key)
        self.trace.calls.append(call)
        return call
