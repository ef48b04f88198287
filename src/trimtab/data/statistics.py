"""Mean and variance per feature as the state of a module: what a standardiser knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from trimtab.data.buffers import DoubleBuffers
from trimtab.data.finite import Policy
from trimtab.methods import standardize as textbook
from trimtab.methods.moments import Moments

Constant = Literal["warn", "unit", "raise"]
SHOWN = 8  # features named in a message


class FeatureStatistics(DoubleBuffers):
    """Count, mean and M₂ per feature in float64 buffers; `Standardizer` documents the arguments."""

    count: Tensor
    mean: Tensor
    m2: Tensor
    scale: Tensor
    frozen: Tensor

    def __init__(
        self,
        features: int | None = None,
        *,
        dim: int | None = -1,
        unbiased: bool = False,
        constant: Constant = "warn",
        nan: Policy = "raise",
        inf: Policy = "raise",
    ) -> None:
        super().__init__()
        for name, got, words in (("constant", constant, Constant), ("nan", nan, Policy), ("inf", inf, Policy)):
            if got not in get_args(words):
                raise ValueError(f"{self._at(name)}: got {got!r}; expected one of {', '.join(get_args(words))}")
        if features is not None and (features < 1 or dim is None):
            raise ValueError(f"{self._at('features')}: got {features} with dim={dim}; expected 1 or more, with a dim")
        self.features, self.dim, self.unbiased = features, dim, unbiased
        self.constant: Constant = constant
        self.nan: Policy = nan
        self.inf: Policy = inf
        # no bool: torch's AveragedModel(use_buffers=True) takes differences of buffers
        self.register_buffer("frozen", torch.tensor(0, dtype=torch.uint8))
        self.register_buffer("scale", None, persistent=False)
        for name in ("count", "mean", "m2"):
            self.register_buffer(name, torch.zeros(self._initial_shape, dtype=torch.float64))
        self._derive()

    @property
    def moments(self) -> Moments:
        """What has been seen so far: count, mean and sum of squared deviations per feature."""
        return Moments(self.count, self.mean, self.m2)

    @property
    def variance(self) -> Tensor:
        """σ² per feature, biased or unbiased as asked for; of constant features 0, or what rounding left."""
        return self.moments.variance(self.unbiased)

    @property
    def constant_features(self) -> list[int]:
        """The features that do not vary, which are divided by 1; [0] or [] where `dim` is None."""
        constant = textbook.is_constant(self.mean, self.variance) & (self.count > 0)
        return torch.nonzero(constant.reshape(-1)).flatten().tolist()

    def extra_repr(self) -> str:
        if self.count.is_meta:
            return f"{self._width or 'any'} features, dim={self.dim}"
        state = ", frozen" if bool(self.frozen) else ""
        return f"{self._width or 'any'} features, dim={self.dim}, {self._seen:,} values each{state}"

    def _load_from_state_dict(self, state_dict: Mapping[str, Any], prefix: str, *args: Any, **kwargs: Any) -> None:
        saved = state_dict.get(prefix + "mean")
        if (
            saved is not None and saved.ndim == 1 and self.dim is None
        ):  # torch 2.6 would take its first number, silently
            errors: list[str] = args[-1]
            errors.append(f"size mismatch for {prefix}mean: {saved.numel()} features, expected one number (dim=None)")
            return
        if saved is not None and saved.ndim == 1 and self.features is None and self.dim is not None:
            for name in ("count", "mean", "m2"):
                setattr(self, name, getattr(self, name).new_zeros(saved.shape))
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)
        self._derive()

    @property
    def _initial_shape(self) -> tuple[int, ...]:
        return () if self.dim is None else (self.features or 0,)

    @property
    def _width(self) -> int:
        """The number of features; 0 while it is not known."""
        return self.mean.numel()

    @property
    def _seen(self) -> int:
        """The number of values that a feature has at most."""
        return int(self.count.max()) if self._width else 0

    def _set(self, moments: Moments) -> None:
        device = self.count.device
        self.count, self.mean, self.m2 = (v.to(device) for v in (moments.count, moments.mean, moments.m2))
        self._derive()

    def _derive(self) -> None:
        """What every transform needs, once per change of the statistics."""
        self.scale = textbook.scale(self.mean, self.variance)
        self._least = int(self.count.min()) if self._width and not self.count.is_meta else 0

    def must_suffice(self, verb: str, error: type[Exception] = RuntimeError) -> None:
        """Every feature has as many values as its variance needs."""
        if self._least <= int(self.unbiased):
            self._derive()  # the buffers may have been filled in place, as DDP fills them with those of rank 0
        if self._least > int(self.unbiased):
            return
        if not self._seen:
            raise error(f"{self._at(verb)}: no data seen; expected at least one row; fit(...) the training data")
        places = torch.nonzero(self.count.reshape(-1) <= int(self.unbiased)).flatten().tolist()
        need = "2 values, as the unbiased variance needs" if self.unbiased else "1 value"
        raise error(f"{self._at(verb)}: too few finite values in {named(places)}; expected at least {need}")

    def _at(self, verb: str) -> str:
        return f"{type(self).__name__}.{verb}"


def named(places: list[int]) -> str:
    """Features in words, the first few of many."""
    shown = ", ".join(map(str, places[:SHOWN]))
    more = f", … ({len(places)} in all)" if len(places) > SHOWN else ""
    return f"feature{'s' if len(places) > 1 else ''} {shown}{more}"
