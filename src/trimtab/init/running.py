"""Run a model on an example as the first training step would, and leave no trace of it."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch._C import _functorch  # type: ignore[attr-defined]
from torch.nn.parameter import is_lazy

SEED = 0


@contextmanager
def untouched(model: nn.Module) -> Iterator[None]:
    """Inside, the model is ready to be measured; afterwards mode, buffers, flags and random state are as before.

    Batch norm uses the batch, as in training; everything else is in evaluation mode, so that dropout adds no noise.
    Every floating parameter takes part in the graph, frozen ones too. torch's fused inference path is off: it would
    hide the layers of a transformer.
    """
    modes = [(module, module.training) for module in model.modules()]
    buffers = [
        (module, name, buffer, None if buffer is None or is_lazy(buffer) or buffer.is_meta else buffer.clone())
        for module in model.modules()
        for name, buffer in module._buffers.items()
    ]
    flags = [(p, p.requires_grad) for p in model.parameters() if not is_lazy(p)]
    fast = torch.backends.mha.get_fastpath_enabled()
    with ExitStack() as stack:
        stack.enter_context(_same_noise({p.device for p, _ in flags}))
        stack.enter_context(torch.compiler.set_stance("force_eager"))  # compiled parts would hide their layers
        stack.enter_context(torch.inference_mode(False))
        stack.callback(_restore, modes, buffers, flags, fast)
        torch.backends.mha.set_fastpath_enabled(False)
        for module, _ in modes:
            module.training = getattr(module, "running_mean", None) is not None
        for p, _ in flags:
            if p.is_floating_point() or p.is_complex():
                p.requires_grad_(True)
        yield


@contextmanager
def _same_noise(devices: set[torch.device]) -> Iterator[None]:
    """What noise there is, is the same from run to run; the states of all generators are given back."""
    cuda = sorted(device.index for device in devices if device.type == "cuda")
    python, array = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng(devices=cuda):
            random.seed(SEED)
            np.random.seed(SEED)
            torch.default_generator.manual_seed(SEED)  # torch.manual_seed would seed devices that nobody asked about
            for index in cuda:
                torch.cuda.default_generators[index].manual_seed(SEED)
            yield
    finally:
        random.setstate(python)
        np.random.set_state(array)


def unwrapped(model: nn.Module) -> nn.Module:
    """The model inside of `torch.compile` and of data-parallel wrappers."""
    model = getattr(model, "_orig_mod", model)
    wrapped = isinstance(model, (nn.DataParallel, nn.parallel.DistributedDataParallel))
    return unwrapped(model.module) if wrapped else model


def _restore(modes: list[Any], buffers: list[Any], flags: list[Any], fast: bool) -> None:
    torch.backends.mha.set_fastpath_enabled(fast)
    for module, training in modes:
        module.training = training
    for module, name, buffer, value in buffers:
        module._buffers[name] = buffer
        if value is not None:
            with torch.no_grad():
                buffer.copy_(value)
    for p, flag in flags:
        p.requires_grad_(flag)


def forward(model: nn.Module, example: Any) -> Any:
    """The model's output: a tuple or list is its positional arguments, a mapping its keyword arguments.

    Raises:
        RuntimeError: the model failed; the message names the innermost module that did and the shapes that it got.
    """
    entered: list[tuple[str, nn.Module, str]] = []
    with ExitStack() as stack:
        for name, module in model.named_modules():
            if isinstance(module, torch.jit.ScriptModule):
                continue  # takes no hooks
            stack.callback(_watch(name, module, entered))
        try:
            return _call(model, example)
        except Exception as error:
            name, module, shapes = entered[-1] if entered else ("", model, _shapes(example))
            where = f"layer {name!r} ({_brief(module)})" if name else type(model).__name__
            hint = "; pass a batch of more examples" if "more than 1 value per channel" in str(error) else ""
            raise RuntimeError(f"the model failed on the example in {where}, given {shapes}: {error}{hint}") from error


def _watch(name: str, module: nn.Module, entered: list[tuple[str, nn.Module, str]]) -> Any:
    """Keep a stack of the modules that are running; returns what removes it again."""

    def before(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        entered.append((name, module, _shapes((args, kwargs))))

    def after(module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        while entered.pop()[1] is not module:  # what failed inside and was caught there
            pass

    handles = [module.register_forward_pre_hook(before, with_kwargs=True), module.register_forward_hook(after)]

    def remove() -> None:
        for handle in handles:
            handle.remove()

    return remove


def _call(model: nn.Module, example: Any) -> Any:
    example = _copied(example)
    if isinstance(example, dict):
        return model(**example)
    if isinstance(example, (tuple, list)) and not hasattr(example, "_fields"):
        return model(*example)
    return model(example)


def _copied(value: Any) -> Any:
    """So that a model which writes into its input does not change the example; inference tensors become usable."""
    if isinstance(value, Tensor):
        return value.clone()
    if isinstance(value, Mapping):
        return {key: _copied(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        made = [_copied(item) for item in value]
        return type(value)(*made) if hasattr(value, "_fields") else type(value)(made)
    return value


def tensors(value: Any) -> Iterator[Tensor]:
    """The tensors in a nest of tuples, lists, mappings and objects with fields, in order; inside `vmap`, all of it."""
    if isinstance(value, Tensor):
        while _functorch.is_functorch_wrapped_tensor(value):
            value = _functorch.get_unwrapped(value)
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from tensors(item)
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from tensors(item)


def outputs(value: Any) -> list[Tensor]:
    """The floating tensors that a model returns, also as the fields of an object."""
    found = list(tensors(value)) or list(tensors(getattr(value, "__dict__", {})))
    return [t for t in found if t.is_floating_point() or t.is_complex()]


def _shapes(value: Any) -> str:
    return ", ".join(f"{str(t.dtype).removeprefix('torch.')}{list(t.shape)}" for t in tensors(value)) or "no tensor"


def _brief(module: nn.Module) -> str:
    text = repr(module)
    return text if "\n" not in text else type(module).__name__
