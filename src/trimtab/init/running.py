"""Run a model on an example, and say what failed if it fails; what it takes and returns as tensors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn
from torch._C import _functorch  # type: ignore[attr-defined]  # torch's stubs leave it out


def unwrapped(model: nn.Module) -> nn.Module:
    """The model inside of `torch.compile` and of data-parallel wrappers.

    Raises:
        TypeError: it is no module.
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"trimtab.init: the model is a {type(model).__name__}; expected a torch.nn.Module")
    model = getattr(model, "_orig_mod", model)
    wrapped = isinstance(model, (nn.DataParallel, nn.parallel.DistributedDataParallel))
    return unwrapped(model.module) if wrapped else model


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
            raise RuntimeError(
                f"the model failed on the example in {where}, given {shapes}: {error}{_hint(str(error))}"
            ) from error


def _hint(error: str) -> str:
    if "more than 1 value per channel" in error:
        return "; pass a batch of more examples"
    if "positional argument" in error:
        return "; the example is what the model takes, a tuple its positional arguments: leave out the targets"
    return ""


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
