"""The rule table of `initialize`: which values each kind of layer starts with.

| layer | parameter | start | source |
|---|---|---|---|
| linear, bilinear, convolution | weight | the scheme; "auto": N(0, gain²/fan_in) | He et al. 2015 |
| end of a residual branch | weight, or γ of its last norm | times 1/√N, N branches | Radford et al. 2019 (GPT-2) |
| attention | q, k, v, each on its own, and output | N(0, 1/fan_in) | LeCun et al. 1998 |
| recurrent | input weights | N(0, 1/fan_in) | LeCun et al. 1998 |
| recurrent | hidden weights, each gate on its own | orthogonal | Saxe et al. 2014 |
| linear, square, fed by itself: a recurrence by hand | weight | "auto": orthogonal | Saxe et al. 2014 |
| linear, called in turn with such a one | weight | "auto": N(0, 1/fan_in) | LeCun et al. 1998 |
| LSTM | bias of the forget gate | 1 | Gers et al. 2000, Jozefowicz et al. 2015 |
| embedding | rows | N(0, 1), the padding row 0 | as torch |
| embedding tied to a linear layer | rows | as the linear layer's weight | Press & Wolf 2017 |
| batch, layer, group, instance, RMS norm | γ, κ, running estimates | 1, 0, as new | Ioffe & Szegedy 2015 |
| any other | bias | 0 | |

Frozen parameters stay, and so do the running estimates of a frozen norm.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from trimtab.init.drawing import Generator, standard_normal
from trimtab.init.layers import MATRICES, RECURRENT, TABLES, leaves, value
from trimtab.init.orthogonal import orthogonal_
from trimtab.init.schemes import drawn, rule_of
from trimtab.init.uses import Use, carries_a_state
from trimtab.init.variance import Mode
from trimtab.init.writing import Writer
from trimtab.methods.initialize import lecun_std


class Rules:
    """Fills layers by the table. `branch` is what the end of a residual branch is multiplied by."""

    def __init__(self, write: Writer, scheme: str, mode: Mode, generator: Generator, branch: float) -> None:
        self.write = write
        self.scheme = scheme
        self.mode: Mode = mode
        self.generator = generator
        self.branch = branch

    def fill(self, name: str, module: nn.Module, use: Use) -> None:
        """Fill one weight layer."""
        if isinstance(module, MATRICES):
            self._matrix(name, module, use)
        elif isinstance(module, TABLES):
            self._table(name, module)
        elif isinstance(module, nn.MultiheadAttention):
            self._attention(name, module, use)
        elif isinstance(module, RECURRENT):
            self._recurrent(name, module)

    def fill_norm(self, name: str, module: nn.Module, closes_branch: bool) -> None:
        """Fill a normalisation layer: γ = 1, or `branch` where it ends a residual branch; κ = 0."""
        scale = self.branch if closes_branch else 1.0
        rule = "γ = 1" if scale == 1.0 else f"γ = {scale:.3g}, ends a residual branch"
        self.write(name, module, "weight", lambda like: torch.full_like(like, scale), rule)
        self.write(name, module, "bias", torch.zeros_like, "0")
        if isinstance(module, _NormBase) and _has_estimates(module) and not self.write.keeps(module):
            module.reset_running_stats()

    def shrink(self, use: Use) -> float:
        """What the weight of a layer is multiplied by for its place in a residual branch."""
        return self.branch if use.residual and use.closing_norm is None else 1.0

    def _matrix(self, name: str, module: nn.Module, use: Use) -> None:
        if self.scheme == "auto" and carries_a_state(module, name, use):
            self.write(name, module, "weight", self._orthogonal(), "orthogonal, as it feeds itself")
            self.write(name, module, "bias", torch.zeros_like, "0")
            return
        factor = self.shrink(use)
        rule = rule_of(self.scheme, self.mode) + ("" if factor == 1.0 else f" · {factor:.3g}, ends a residual branch")

        def make(like: Tensor) -> Tensor:
            gain = 1.0 if use.recurrent and self.scheme == "auto" else use.gain  # what enters a state adds up
            return factor * drawn(module, like, self.scheme, gain, self.mode, self.generator)

        self.write(name, module, "weight", make, rule)
        self.write(name, module, "bias", torch.zeros_like, "0")

    def _table(self, name: str, module: nn.Embedding | nn.EmbeddingBag) -> None:
        def make(like: Tensor) -> Tensor:
            rows = standard_normal(like, tuple(like.shape), self.generator)
            if module.padding_idx is not None:
                rows[module.padding_idx] = 0.0
            return rows

        self.write(name, module, "weight", make, "N(0, 1)")

    def _attention(self, name: str, module: nn.MultiheadAttention, use: Use) -> None:
        for part in ("in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight"):
            self.write(name, module, part, self._lecun(), "N(0, 1/fan_in)")
        for part in ("bias_k", "bias_v"):
            self.write(name, module, part, self._lecun(), "N(0, 1/d)")
        self.write(name, module, "in_proj_bias", torch.zeros_like, "0")
        factor = self.shrink(use)
        self.write(f"{name}.out_proj", module.out_proj, "weight", self._lecun(factor), "N(0, 1/fan_in)")
        self.write(f"{name}.out_proj", module.out_proj, "bias", torch.zeros_like, "0")

    def _recurrent(self, name: str, module: nn.RNNBase | nn.RNNCellBase) -> None:
        for part, _ in list(module.named_parameters(recurse=False)):
            if part.startswith("weight_hh"):
                self.write(name, module, part, self._gates(module.hidden_size), "orthogonal")
            elif part.startswith("weight"):
                self.write(name, module, part, self._lecun(), "N(0, 1/fan_in)")
            elif part.startswith("bias_ih") and isinstance(module, (nn.LSTM, nn.LSTMCell)):
                self.write(name, module, part, _forget, "0, forget gate 1")
            else:
                self.write(name, module, part, torch.zeros_like, "0")

    def _lecun(self, factor: float = 1.0) -> Callable[[Tensor], Tensor]:
        def make(like: Tensor) -> Tensor:
            std = factor * lecun_std(like.shape[-1])
            return std * standard_normal(like, tuple(like.shape), self.generator)

        return make

    def _orthogonal(self) -> Callable[[Tensor], Tensor]:
        return lambda like: orthogonal_(torch.empty_like(like), 1.0, self.generator)

    def _gates(self, hidden: int) -> Callable[[Tensor], Tensor]:
        def make(like: Tensor) -> Tensor:
            wide = torch.empty(like.shape, dtype=torch.promote_types(like.dtype, torch.float32), device=like.device)
            return orthogonal_(wide, 1.0, self.generator, groups=max(like.shape[0] // hidden, 1))

        return make


def _forget(like: Tensor) -> Tensor:
    """Gates are stored as input, forget, cell, output; the other bias vector of the gate stays 0."""
    bias = torch.zeros_like(like)
    quarter = like.shape[0] // 4
    bias[quarter : 2 * quarter] = 1.0
    return bias


def matrices_first(layers: dict[str, nn.Module]) -> dict[str, nn.Module]:
    """In order, but tables last: one tied to a linear layer starts as that layer does."""
    tied = {id(p) for m in layers.values() if isinstance(m, MATRICES) for p in leaves(m, "weight")}
    late = {n for n, m in layers.items() if isinstance(m, TABLES) and id(value(m, "weight")) in tied}
    return {n: m for n, m in layers.items() if n not in late} | {n: layers[n] for n in layers if n in late}


def _has_estimates(module: _NormBase) -> bool:
    return module.running_mean is not None and not module.running_mean.is_meta
