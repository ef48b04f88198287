"""What a look through the data leaves as it was: modes, random generators and, when it fails, buffers."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn


@contextmanager
def evaluation(model: nn.Module) -> Iterator[None]:
    """Evaluation mode without gradients, for every module as it was afterwards."""
    training = {module: module.training for module in model.modules()}
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, was in training.items():
            module.training = was


@contextmanager
def untouched_generators(loader: Any = None) -> Iterator[Callable[[], None]]:
    """Yields what sets the random generators, the loader's own too, back to where they are; does so at the end."""
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    holders = (getattr(holder, "generator", None) for holder in (loader, getattr(loader, "sampler", None)))
    own = [(generator, generator.get_state()) for generator in holders if isinstance(generator, torch.Generator)]
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None

    def rewind() -> None:
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])
        for generator, state in own:
            generator.set_state(state)
        if cuda is not None:
            torch.cuda.set_rng_state_all(cuda)

    try:
        yield rewind
    finally:
        rewind()


@contextmanager
def all_or_nothing(layers: Iterable[nn.Module]) -> Iterator[None]:
    """After an exception inside, the layers' buffers are as they were."""
    before = [(buffer, buffer.clone()) for layer in layers for buffer in layer.buffers(recurse=False)]
    try:
        yield
    except BaseException:
        for buffer, value in before:
            buffer.copy_(value)
        raise
