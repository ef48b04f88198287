"""The average of a whole model's weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from trimtab.average.fine import FineAverages
from trimtab.average.lending import lent
from trimtab.average.recursive import RecursiveAverage
from trimtab.average.running_mean import RunningMean
from trimtab.average.update import update_


class AveragedModel(nn.Module):
    """A copy of a model whose weights are the average of the model's: `s ← s + w_t (model − s)`, t = 1, 2, ….

    Train the model, call `update_parameters(model)` after each step, and evaluate with this one: called like the model,
    or put into it with `with averaged_model.averaged(model): …`. Weights of less than 32 bits are averaged in float32
    beside the copy, as steps of `(1−α)` are lost in bfloat16. Tied weights are averaged once and stay tied.

    Args:
        model: copied as it is, with its device; any module, wrapped (DistributedDataParallel, compiled) or not.
        average: `EMA(α)` or `RunningMean()`, the default: stochastic weight averaging. Only its `gain` is used.
        device: of the copy; "cpu" keeps it off the accelerator.
        use_buffers: averages the buffers (BatchNorm's running estimates) like weights; else they are copied at each
            update. Integer buffers are copied always.

    Raises:
        TypeError: an average without a gain, such as `BoxAverage`, which would keep n models.

    Differs from torch: `torch.optim.swa_utils.AveragedModel` takes the average as `avg_fn`; `get_ema_avg_fn(decay)` is
    `EMA(decay, start="first")`. It averages in the weights' own precision, and integer buffers too. The state_dict is
    the same, `n_averaged` and `module.…`, and loads both ways.

    Sources: Polyak & Juditsky 1992, "Acceleration of stochastic approximation by averaging"; Izmailov et al. 2018,
    "Averaging weights leads to wider optima and better generalization", arXiv:1803.05407.

    >>> model = nn.Linear(1, 1, bias=False)
    >>> averaged_model = AveragedModel(model)
    >>> for weight in (1.0, 2.0, 6.0):
    ...     _ = nn.init.constant_(model.weight, weight)
    ...     averaged_model.update_parameters(model)
    >>> averaged_model.module.weight.item()
    3.0
    """

    n_averaged: Tensor
    _fine: FineAverages

    def __init__(
        self,
        model: nn.Module,
        average: RecursiveAverage | None = None,
        *,
        device: torch.device | str | int | None = None,
        use_buffers: bool = False,
    ) -> None:
        average = RunningMean() if average is None else average
        if not isinstance(average, RecursiveAverage):
            raise TypeError(
                f"AveragedModel: average is {average!r}, expected EMA or RunningMean; "
                "EMA(alpha_of((n + 1) / 2)) is as late and as smooth as BoxAverage(n)"
            )
        super().__init__()
        self.module = deepcopy(model).to(device)
        self.average = average
        self.use_buffers = use_buffers
        self.register_buffer("n_averaged", torch.tensor(0, device="cpu"))
        self._lent = False
        self._fine = FineAverages()

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The model with its averaged weights."""
        return self.module(*args, **kwargs)

    @torch.no_grad()
    def update_parameters(self, model: nn.Module) -> None:
        """Takes the model's weights into the average.

        Raises:
            ValueError: the model's tensors are not those of the copy in number and shape.
            RuntimeError: inside `averaged()`, where the model holds averages.
        """
        if self._lent:
            raise RuntimeError("AveragedModel.update_parameters inside averaged(): the model holds averages there")
        averages, weights = self._precise(), self._matching(model)
        if self.n_averaged == 0:
            for average in averages:
                average.zero_()
        update_(averages, weights, self.average.gain(int(self.n_averaged) + 1))
        for coarse, average in zip(self._averaged(self.module), averages, strict=True):
            if coarse is not average:
                coarse.copy_(average)
        if not self.use_buffers:
            for mine, theirs in zip(self.module.buffers(), model.buffers(), strict=True):
                mine.copy_(theirs)
        self.n_averaged += 1

    @torch.no_grad()
    def copy_to(self, model: nn.Module) -> None:
        """Puts the averages into the model in place of its weights (and of its buffers with `use_buffers`).

        Raises:
            RuntimeError: there is no average yet.
            ValueError: the model's tensors are not those of the copy in number and shape.
        """
        for weight, average in zip(self._matching(model), self._ready(), strict=True):
            weight.copy_(average)

    @contextmanager
    def averaged(self, model: nn.Module) -> Iterator[nn.Module]:
        """Inside the `with` block the model holds the averages; after it, also by an exception, its own bits again.

        Raises:
            RuntimeError: there is no average yet, or the block is inside another one.
            ValueError: as `copy_to`.
        """
        if self._lent:
            raise RuntimeError("AveragedModel.averaged inside averaged(): the model holds the averages already")
        with lent(self._matching(model), self._ready()):
            self._lent = True
            try:
                yield model
            finally:
                self._lent = False

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        """`n_averaged` and `module.…`, as torch's; averages of low-precision weights in float32."""
        state = super().state_dict(*args, **kwargs)
        for name, average in self._fine_by_name():
            state[kwargs.get("prefix", "") + name] = average if kwargs.get("keep_vars") else average.detach()
        return state

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *args: Any, **kwargs: Any) -> None:
        """Takes the float32 averages; the copy's own loading rounds them."""
        for name, average in self._fine_by_name():
            loaded = state_dict.get(prefix + name)
            if loaded is not None and loaded.shape == average.shape:  # the copy's own loading names what does not fit
                with torch.no_grad():
                    average.copy_(loaded)
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)

    def _apply(self, fn: Any, recurse: bool = True) -> AveragedModel:
        """The counter stays on the CPU: reading it must not wait for an accelerator."""
        super()._apply(fn, recurse)
        self.n_averaged = self.n_averaged.cpu()
        return self

    def __getstate__(self) -> dict[str, Any]:
        """A copy made inside `averaged()` lends nothing."""
        return {**self.__dict__, "_lent": False}

    def _averaged(self, model: nn.Module) -> list[Tensor]:
        """What is averaged of a model: each tensor once, in a fixed order."""
        return [*model.parameters(), *(model.buffers() if self.use_buffers else ())]

    def _precise(self) -> list[Tensor]:
        """The averages: for low-precision weights those in float32."""
        return self._fine.instead_of(self._averaged(self.module))

    def _ready(self) -> list[Tensor]:
        """The averages, once there are any."""
        if self.n_averaged == 0:
            raise RuntimeError("AveragedModel: nothing is averaged yet; call update_parameters(model) first")
        return self._precise()

    def _fine_by_name(self) -> list[tuple[str, Tensor]]:
        """The float32 averages under all names that their tensors have in the state."""
        fine = {id(t): p for t, p in zip(self._averaged(self.module), self._precise(), strict=True) if t is not p}
        named = [
            *self.module.named_parameters(prefix="module", remove_duplicate=False),
            *self.module.named_buffers(prefix="module", remove_duplicate=False),
        ]
        return [(name, fine[id(tensor)]) for name, tensor in named if id(tensor) in fine]

    def _matching(self, model: nn.Module) -> list[Tensor]:
        """The model's tensors beside those of the copy."""
        mine, theirs = self._averaged(self.module), self._averaged(model)
        if [t.shape for t in mine] != [t.shape for t in theirs]:
            raise ValueError(
                f"AveragedModel: the copy has {len(mine)} tensors to average, the model given {len(theirs)} or other "
                "shapes: give the model that was copied, changed in its values only"
            )
        return theirs
