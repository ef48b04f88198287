"""A model ready to be measured as its first training step would run, and afterwards as it was."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.parameter import is_lazy

from trimtab.init.layers import is_frozen

SEED = 0


@contextmanager
def untouched(model: nn.Module) -> Iterator[None]:
    """Inside, the model is ready to be measured; afterwards mode, buffers, flags and random state are as before.

    Batch norm uses the batch, as in training, unless it is frozen in evaluation mode; everything else is in evaluation
    mode, so that dropout adds no noise. Every floating parameter takes part in the graph, frozen ones too. torch's
    fused inference path is off: it would hide the layers of a transformer.
    """
    modes = [(module, module.training) for module in model.modules()]
    buffers = [
        (module, name, buffer, None if buffer is None or is_lazy(buffer) or buffer.is_meta else buffer.clone())
        for module in model.modules()
        for name, buffer in module._buffers.items()
    ]
    flags = [(p, p.requires_grad) for p in model.parameters() if not is_lazy(p)]
    tables = [(p, p.detach().clone()) for p in _renormalised(model)]
    fast = torch.backends.mha.get_fastpath_enabled()
    with ExitStack() as stack:
        stack.enter_context(_same_noise({p.device for p, _ in flags}))
        stack.enter_context(torch.compiler.set_stance("force_eager"))  # compiled parts would hide their layers
        stack.enter_context(torch.inference_mode(False))
        stack.callback(_restore, modes, buffers, flags, tables, fast)
        torch.backends.mha.set_fastpath_enabled(False)
        for module, _ in modes:
            frozen = not module.training and is_frozen(module)
            module.training = getattr(module, "running_mean", None) is not None and not frozen
        for p, _ in flags:
            if p.is_floating_point() or p.is_complex():
                p.requires_grad_(True)
        yield


def _renormalised(model: nn.Module) -> list[nn.Parameter]:
    """The weights of embeddings with `max_norm`, which a forward pass shortens in place."""
    tables = [m for m in model.modules() if isinstance(m, (nn.Embedding, nn.EmbeddingBag)) and m.max_norm is not None]
    return [p for m in tables for p in m.parameters()]


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


def _restore(modes: list[Any], buffers: list[Any], flags: list[Any], tables: list[Any], fast: bool) -> None:
    torch.backends.mha.set_fastpath_enabled(fast)
    for module, training in modes:
        module.training = training
    for module, name, buffer, value in buffers:
        module._buffers[name] = buffer
        if value is not None:
            with torch.no_grad():
                buffer.copy_(value)
    for p, values in tables:
        with torch.no_grad():
            p.copy_(values)
    for p, flag in flags:
        p.requires_grad_(flag)
