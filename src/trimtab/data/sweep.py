"""One pass over a loader, with a progress bar where someone is watching."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterable, Sized
from operator import length_hint
from typing import Any

import numpy as np
import torch.distributed as dist
from torch import Tensor
from torch.utils.data import Dataset, IterableDataset

Select = Callable[[Any], Any]


def inputs_of(item: Any) -> Any:
    """What a loader's item is by convention: the inputs themselves, or a tuple or list that begins with them."""
    if isinstance(item, (tuple, list)) and item:
        return item[0]
    if isinstance(item, (Tensor, np.ndarray)):
        return item
    raise TypeError(
        f"Standardizer.fit: the loader gave {type(item).__name__}; expected a tensor, an array, or a tuple that begins "
        'with one; say how to find it with select=, as in select=lambda item: item["pixels"]'
    )


def batches(data: Iterable[Any], progress: bool) -> Generator[Any, None, None]:
    """The items of a loader or data set, under a bar on standard error that is gone afterwards."""
    if not (progress and sys.stderr.isatty() and _first_rank()):
        yield from _items(data)
        return
    from rich.console import Console
    from rich.progress import track

    total = length_hint(data) or None  # not len(): that of a loader of an endless data set raises
    yield from track(_items(data), "statistics", total=total, console=Console(stderr=True), transient=True)


def _items(data: Any) -> Iterable[Any]:
    """A map-style data set ends at its length: its own iteration waits for an IndexError, which may never come."""
    items: Any = data
    if isinstance(data, Dataset) and not isinstance(data, IterableDataset) and isinstance(data, Sized):
        items = map(items.__getitem__, range(len(items)))
    return items


def _first_rank() -> bool:
    """One bar for all processes that share a terminal."""
    return not (dist.is_available() and dist.is_initialized()) or dist.get_rank() == 0
