"""How batches are cut: shuffled, or larger."""

from __future__ import annotations

from collections.abc import Iterator, Sized
from typing import Any

import torch
from torch.utils.data import IterableDataset, RandomSampler, Sampler, SequentialSampler

from trimtab.trial.enactors.base import Enactor


class _ShuffledInTraining(Sampler[int]):
    """At random while gradients are on, in order where they are off: an evaluation may rely on it."""

    def __init__(self, dataset: Sized) -> None:
        self._dataset = dataset

    def __iter__(self) -> Iterator[int]:
        return iter(RandomSampler(self._dataset) if torch.is_grad_enabled() else SequentialSampler(self._dataset))

    def __len__(self) -> int:
        return len(self._dataset)


class ShuffleData(Enactor):
    """Every DataLoader that goes through its data in order goes through them at random."""

    names = ("shuffle-data",)
    nothing_found = "no DataLoader reads its data in order: shuffle where the batches are cut"

    def loader_made(self, arguments: dict[str, Any]) -> None:
        own = arguments.get("sampler") is None and arguments.get("batch_sampler") is None
        if own and not arguments.get("shuffle") and not isinstance(arguments.get("dataset"), IterableDataset):
            arguments["sampler"] = _ShuffledInTraining(arguments["dataset"])
            arguments.pop("shuffle", None)
            self.done += 1


class EnlargeBatch(Enactor):
    """Every DataLoader's batches, so many times as large."""

    names = ("enlarge-batch",)
    nothing_found = "no DataLoader with a batch size: enlarge the batches where they are cut"

    def loader_made(self, arguments: dict[str, Any]) -> None:
        size = arguments.get("batch_size", 1)
        if isinstance(size, int) and arguments.get("batch_sampler") is None:
            arguments["batch_size"] = max(int(size * self.change.number(8.0)), 1)
            self.done += 1
