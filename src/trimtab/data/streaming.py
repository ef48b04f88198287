"""How a standardiser comes to know its data: streamed, merged, reduced over ranks, fitted, then frozen."""

from __future__ import annotations

import copy
import warnings
from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from trimtab.data.arrays import as_tensor
from trimtab.data.axis import check_width
from trimtab.data.measuring import measured
from trimtab.data.ranks import over_ranks
from trimtab.data.statistics import FeatureStatistics, named
from trimtab.data.sweep import Select, batches, inputs_of
from trimtab.methods.moments import Moments

if TYPE_CHECKING:
    from typing_extensions import Self


class StreamedStatistics(FeatureStatistics):
    """The fitting of a `Standardizer`."""

    @torch.no_grad()
    def update(self, x: Tensor | np.ndarray) -> Self:
        """Adds a batch, or one sample. An empty batch adds nothing.

        Raises:
            RuntimeError: the statistics are frozen.
            ValueError: wrong number of features, or values that are not finite; the statistics are as before.
        """
        self._must_be_open("update")
        where = self._at("update")
        values = as_tensor(x, where)
        check_width(values, self.dim, self._width, where)
        self._absorb(measured(values, self.dim, nan=self.nan, inf=self.inf, where=where), where)
        return self

    def merge(self, other: FeatureStatistics) -> Self:
        """Adds what `other` has seen as if it had been seen here; in any order the same to rounding."""
        self._must_be_open("merge")
        if (other.dim is None) != (self.dim is None):
            raise ValueError(f"{self._at('merge')}: got dim={other.dim}; expected the same kind, dim={self.dim}")
        self._absorb(other.moments, self._at("merge"))
        return self

    def all_reduce(self, group: Any = None) -> Self:
        """Replaces the statistics by those over all ranks, the same bits on each, and freezes them.

        Frozen, because a second reduction would count everything once per rank. Every rank of `group` must call it;
        one that has seen nothing may. Outside a process group it only freezes.

        Raises:
            ValueError: the ranks differ in their features, or what `freeze` refuses; on all ranks alike.
        """
        self._must_be_open("all_reduce")
        before = self.moments
        self._set(over_ranks(before, group))
        try:
            return self.freeze()
        except ValueError:
            self._set(before)
            raise

    def freeze(self) -> Self:
        """Ends the fitting: `update`, `merge` and `fit` raise from now on.

        Raises:
            ValueError: a feature has no value, or only one where the variance is unbiased; or a constant feature
                under `constant="raise"`.
        """
        self.must_suffice("freeze", ValueError)
        if (places := self.constant_features) and self.constant != "unit":
            self._report_constant(places)
        self.frozen.fill_(True)
        return self

    def unfreeze(self) -> Self:
        """Allows `update` and `merge` again, on top of what is there."""
        self.frozen.fill_(False)
        return self

    def fit(self, data: Any, *, select: Select = inputs_of, progress: bool = True, all_reduce: bool = False) -> Self:
        """One pass over `data`, then frozen.

        Args:
            data: a loader, any iterable of batches, or all the data as one tensor or array.
            select: finds the values in a loader's item; by default the item itself or the first of a tuple.
            progress: shows a bar on standard error while that is a terminal.
            all_reduce: each rank of the default process group has a part of the data: merge them.

        Raises:
            RuntimeError: there are statistics already; `refit` starts over, `unfreeze` and `update` add to them.
            ValueError: no data, fewer rows than the variance needs, or a bad batch; the statistics are as before.
        """
        if bool(self.frozen) or self._seen:
            raise RuntimeError(
                f"{self._at('fit')}: there are statistics already, of {self._seen:,} values a feature; to start over on"
                " other data call refit(...), to add to them call update(...), after unfreeze() if they are frozen"
            )
        return self.refit(data, select=select, progress=progress, all_reduce=all_reduce)

    def refit(self, data: Any, *, select: Select = inputs_of, progress: bool = True, all_reduce: bool = False) -> Self:
        """Forgets the statistics and fits on other data: the explicit act. After an error they are as before."""
        fresh = self._emptied()
        if isinstance(data, (Tensor, np.ndarray)):
            fresh._take(data, 0, batched=True)
        else:
            batched = getattr(data, "batch_sampler", None) is not None
            with closing(batches(data, progress)) as items:
                for number, item in enumerate(items):
                    fresh._take(select(item), number, batched)
        _ = fresh.all_reduce() if all_reduce else fresh.freeze()
        self._set(fresh.moments)
        self.frozen.fill_(True)
        return self

    def _absorb(self, moments: Moments, where: str) -> None:
        if not moments.mean.numel():
            return
        if self._width and moments.mean.numel() != self._width:
            raise ValueError(f"{where}: got {moments.mean.numel()} features; expected {self._width}")
        own = Moments(*(v.to(moments.mean.device) for v in (self.count, self.mean, self.m2)))
        merged = own.merge(moments) if self._width else moments
        if not bool(merged.m2.isfinite().all()):
            raise ValueError(f"{where}: the squares overflow float64; expected values below 1e150; rescale the data")
        self._set(merged)

    def _must_be_open(self, verb: str) -> None:
        if bool(self.frozen):
            raise RuntimeError(
                f"{self._at(verb)}: the statistics are frozen, so that they stay those of the training data; to start "
                "over call refit(...), to add to them call unfreeze() first"
            )

    def _report_constant(self, places: list[int]) -> None:
        first = f"mean {self.mean.reshape(-1)[places[0]].item():g}{' in the first' if len(places) > 1 else ''}"
        what = f"{self._at('freeze')}: {named(places)} never varied ({first})"
        if self.constant == "raise":
            raise ValueError(f"{what}; expected features that vary; drop such ones, or say constant='unit'")
        warnings.warn(
            f"{what}; divided by 1; drop such ones, or say constant='unit' to accept this silently", stacklevel=3
        )

    def _emptied(self) -> Self:
        fresh = copy.deepcopy(self).unfreeze()
        zeros = (self.mean.new_zeros(self._initial_shape) for _ in range(3))
        fresh._set(Moments(*zeros))
        return fresh

    def _take(self, values: Any, number: int, batched: bool) -> None:
        if batched and self.dim is not None and np.ndim(values) == 1:
            raise ValueError(
                f"{self._at('fit')}: got shape {tuple(np.shape(values))}, one number a row; expected rows of features; "
                "for one number a row make it with dim=None, or give values[:, None]"
            )
        try:
            self.update(values)
        except (TypeError, ValueError) as error:
            raise type(error)(f"{error} [batch {number} of fit]") from error
