"""Batch norm's statistics over a whole data set, exactly, as evaluation uses them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from trimtab.methods.moments import Moments
from trimtab.nn.batch_norm import BatchNorm
from trimtab.nn.undisturbed import all_or_nothing, evaluation, untouched_generators

Forward = Callable[[nn.Module, Any], Any]


def exact_statistics(
    model: nn.Module, loader: Iterable[Any], *, forward: Forward | None = None, device: Any = None
) -> dict[str, Moments]:
    """Set every batch norm's running estimates to the mean and variance of its input over all the data.

    Layer after layer, in the order in which they are called: each layer's input is what it will be in evaluation, when
    the layers before it already use their own exact statistics. That takes one pass over the data for each layer, in
    which the model is run no further than that layer (the first pass apart, and a layer that is called more often in
    one forward than in another). Moments are merged in float64.

    A layer that is called several times in a forward gets the statistics of all its inputs together; where one of them
    depends on its own output there is no exact solution, and its old estimates serve for that.

    Args:
        model: with batch norms of torch or trimtab; each variance is biased or unbiased as the layer's
            `running_variance` says, torch's unbiased. Layers without running estimates, or not called, are left alone.
        loader: of batches, gone through once for each layer: a DataLoader or a list, no generator. With random order
            or augmentation each pass draws the same random numbers; only persistent workers draw on.
        forward: `forward(model, batch)` for batches that are neither a tensor nor a tuple or list whose first is the
            input.
        device: where to put the input; None leaves it.

    Returns:
        The moments by the layer's name, in float64.

    Raises:
        TypeError: a loader that can be gone through only once; a batch that is no tensor, without `forward`.
        ValueError: no layer was called, a layer's input is not finite, or has one value in all. The estimates are then
            as they were.

    Training mode, gradients and the states of the random generators (Python, NumPy, torch, the loader's own) are as
    they were. A compiled model runs uncompiled: its graphs do not tell what the layers inside are given.

    Differs from torch: `torch.optim.swa_utils.update_bn` averages over batches, which loses the variance between them,
    and normalises each batch by itself, so that deeper layers see other inputs than in evaluation.
    Source: the formula of Chan, Golub, LeVeque (1983); the order of layers: Wu and Johnson (2021), "Rethinking
    'Batch' in BatchNorm", arXiv:2105.07576, section 3, call the estimates of this kind precise.

    >>> from trimtab.nn import BatchNorm1d
    >>> import torch
    >>> model = nn.Sequential(BatchNorm1d(1, running_variance="biased"))
    >>> moments = exact_statistics(model, [torch.tensor([[1.0], [2.0]]), torch.tensor([[6.0]])])
    >>> model[0].running_mean.item(), round(model[0].running_var.item(), 4)
    (3.0, 4.6667)
    """
    if isinstance(loader, Iterator):  # not iter(loader): a DataLoader's draws a random number
        raise TypeError(
            f"exact_statistics: the loader is a {type(loader).__name__}, which can be gone through once; each layer "
            "needs a pass of its own: give a DataLoader or a list"
        )
    forward = forward or _first_of_batch(device)
    left = {m: name for name, m in model.named_modules() if isinstance(m, _BatchNorm) and m.running_mean is not None}
    found: dict[str, Moments] = {}
    last_calls: Mapping[nn.Module, int] = {}  # of every layer in a forward; known after the first pass
    with (
        torch.compiler.set_stance("force_eager"),
        evaluation(model),
        untouched_generators(loader) as rewind,
        all_or_nothing(left),
    ):
        while left:
            rewind()
            layer, moments, calls = _one_pass(model, loader, forward, left, last_calls)
            if layer is None or moments is None:
                break
            last_calls = last_calls if found else _same_in_all(calls)
            name = left.pop(layer)
            _set(layer, name, moments, len(calls))
            found[name] = moments
        if not found:
            raise ValueError("exact_statistics: no batch norm with running estimates was called on any batch")
    return found


class _Reached(BaseException):
    """The layer has seen its input: nothing after it matters. No Exception, which a model might catch."""


class _Collector:
    """The moments of the input of the first of `layers` to be called."""

    def __init__(self, layers: Iterable[_BatchNorm], last_calls: Mapping[nn.Module, int]) -> None:
        self.layer: _BatchNorm | None = None
        self.moments: Moments | None = None
        self.last_calls = last_calls
        self.calls: Counter[nn.Module] = Counter()  # in one forward
        self.handles = [m.register_forward_pre_hook(self._see, with_kwargs=True) for m in layers]

    def _see(self, layer: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if self.layer is None:
            assert isinstance(layer, _BatchNorm)
            self.layer = layer
        self.calls[layer] += 1
        if layer is self.layer:
            x = args[0] if args else kwargs["input"]
            seen = Moments.of(x.detach(), (0, *range(2, x.ndim)))
            self.moments = seen if self.moments is None else self.moments.merge(seen)
            if self.calls[layer] == self.last_calls.get(layer):
                raise _Reached


def _one_pass(
    model: nn.Module,
    loader: Iterable[Any],
    forward: Forward,
    layers: Iterable[_BatchNorm],
    last_calls: Mapping[nn.Module, int],
) -> tuple[_BatchNorm | None, Moments | None, list[Counter[nn.Module]]]:
    """The first of the layers to be called, its moments over all batches, and how often each was called in each."""
    collector, calls = _Collector(layers, last_calls), []
    try:
        for batch in loader:
            collector.calls = Counter()
            with suppress(_Reached):
                forward(model, batch)
            calls.append(collector.calls)
    finally:
        for handle in collector.handles:
            handle.remove()
    return collector.layer, collector.moments, calls


def _same_in_all(forwards: Sequence[Counter[nn.Module]]) -> dict[nn.Module, int]:
    """The layers that every forward calls equally often, with how often."""
    return {layer: n for layer, n in forwards[0].items() if all(calls[layer] == n for calls in forwards)}


def _set(layer: _BatchNorm, name: str, moments: Moments, batches: int) -> None:
    assert layer.running_mean is not None and layer.running_var is not None
    unbiased = not isinstance(layer, BatchNorm) or layer.running_variance == "unbiased"
    mean, variance = moments.mean.to(layer.running_mean), moments.variance(unbiased).to(layer.running_var)
    if not (mean.isfinite().all() and variance.isfinite().all()):
        few = bool((moments.count <= int(unbiased)).any())
        reason = (
            "too few values for a variance"
            if few
            else "statistics that are not finite in the layer's type: look at the data"
        )
        raise ValueError(f"exact_statistics: the input of layer {name or type(layer).__name__!r} has {reason}")
    layer.running_mean.copy_(mean)
    layer.running_var.copy_(variance)
    if layer.num_batches_tracked is not None:
        layer.num_batches_tracked.fill_(batches)


def _first_of_batch(device: Any) -> Forward:
    def forward(model: nn.Module, batch: Any) -> Any:
        x = batch[0] if isinstance(batch, list | tuple) and batch else batch
        if not isinstance(x, Tensor):
            kind = "a dict" if isinstance(batch, Mapping) else f"of type {type(batch).__name__}"
            raise TypeError(
                f"exact_statistics: a batch is {kind}, expected a tensor, or a tuple or list that begins with one; say "
                "how it enters the model, e.g. forward=lambda model, batch: model(batch['image'])"
            )
        return model(x if device is None else x.to(device))

    return forward
