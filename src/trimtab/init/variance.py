"""Xavier, Kaiming and LeCun: independent weights whose variance comes from the fans."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from torch import Tensor

from trimtab.init.drawing import Generator, checked, put, standard_normal, standard_uniform
from trimtab.init.fans import Fans, fans
from trimtab.init.gains import gain as gain_of
from trimtab.methods.initialize import kaiming_std, lecun_std, xavier_std

Mode = Literal["fan_in", "fan_out"]
_LAYOUT = """
    Args:
        tensor: a weight, `[out, in, ...]`, or `[in, out/groups, *k]` if `transposed`; any floating dtype, drawn in
            float32 or better. On the meta device nothing is drawn.
        generator: draws from it alone, on its device; the global random state is untouched then.
        groups, transposed, stride: of the convolution that uses the weight; see `fans`.
"""


def xavier_uniform_(
    tensor: Tensor, gain: float = 1.0, generator: Generator = None, *, groups: int = 1, transposed: bool = False,
    stride: int | tuple[int, ...] = 1,
) -> Tensor:  # fmt: skip
    """Fill with `U(−b, b)`, `b = gain · √(6 / (fan_in + fan_out))`.

    Source: Glorot & Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks", eq. 16.
    """
    f = _fans(tensor, "xavier_uniform_", groups, transposed, stride)
    return _fill(tensor, xavier_std(*f, gain) if f else 0.0, standard_uniform, generator)


def xavier_normal_(
    tensor: Tensor, gain: float = 1.0, generator: Generator = None, *, groups: int = 1, transposed: bool = False,
    stride: int | tuple[int, ...] = 1,
) -> Tensor:  # fmt: skip
    """Fill with `N(0, σ²)`, `σ = gain · √(2 / (fan_in + fan_out))`.

    Source: Glorot & Bengio 2010, eq. 12.
    """
    f = _fans(tensor, "xavier_normal_", groups, transposed, stride)
    return _fill(tensor, xavier_std(*f, gain) if f else 0.0, standard_normal, generator)


def kaiming_uniform_(
    tensor: Tensor, a: float = 0.0, mode: Mode = "fan_in", nonlinearity: str | Callable[..., Any] = "leaky_relu",
    generator: Generator = None, *, groups: int = 1, transposed: bool = False, stride: int | tuple[int, ...] = 1,
) -> Tensor:  # fmt: skip
    """Fill with `U(−b, b)`, `b = √3 · gain / √fan`.

    Differs from torch: `nonlinearity` may be anything that `gain` takes, and tanh, sigmoid and SELU have its gains.

    Source: He, Zhang, Ren & Sun 2015, "Delving deep into rectifiers", arXiv:1502.01852, eq. 10 and 14.
    """
    f = _fans(tensor, "kaiming_uniform_", groups, transposed, stride)
    return _fill(tensor, _kaiming(f, a, mode, nonlinearity), standard_uniform, generator)


def kaiming_normal_(
    tensor: Tensor, a: float = 0.0, mode: Mode = "fan_in", nonlinearity: str | Callable[..., Any] = "leaky_relu",
    generator: Generator = None, *, groups: int = 1, transposed: bool = False, stride: int | tuple[int, ...] = 1,
) -> Tensor:  # fmt: skip
    """Fill with `N(0, σ²)`, `σ = gain / √fan`, where `a` is the slope of a leaky ReLU.

    Differs from torch: `nonlinearity` may be anything that `gain` takes, and tanh, sigmoid and SELU have its gains.

    Source: He, Zhang, Ren & Sun 2015, "Delving deep into rectifiers", arXiv:1502.01852, eq. 10 and 14.
    """
    f = _fans(tensor, "kaiming_normal_", groups, transposed, stride)
    return _fill(tensor, _kaiming(f, a, mode, nonlinearity), standard_normal, generator)


def lecun_uniform_(
    tensor: Tensor, generator: Generator = None, *, groups: int = 1, transposed: bool = False,
    stride: int | tuple[int, ...] = 1,
) -> Tensor:  # fmt: skip
    """Fill with `U(−b, b)`, `b = √(3 / fan_in)`.

    Source: LeCun, Bottou, Orr & Müller 1998, "Efficient BackProp", eq. 16.
    """
    f = _fans(tensor, "lecun_uniform_", groups, transposed, stride)
    return _fill(tensor, lecun_std(f.fan_in) if f else 0.0, standard_uniform, generator)


def lecun_normal_(
    tensor: Tensor, generator: Generator = None, *, groups: int = 1, transposed: bool = False,
    stride: int | tuple[int, ...] = 1,
) -> Tensor:  # fmt: skip
    """Fill with `N(0, 1 / fan_in)`: the start that SELU's self-normalisation asks for (Klambauer et al. 2017).

    Source: LeCun, Bottou, Orr & Müller 1998, "Efficient BackProp", eq. 16.
    """
    f = _fans(tensor, "lecun_normal_", groups, transposed, stride)
    return _fill(tensor, lecun_std(f.fan_in) if f else 0.0, standard_normal, generator)


for _function in (xavier_uniform_, xavier_normal_, kaiming_uniform_, kaiming_normal_, lecun_uniform_, lecun_normal_):
    _function.__doc__ = f"{_function.__doc__}{_LAYOUT}"


def _fans(tensor: Tensor, function: str, groups: int, transposed: bool, stride: int | tuple[int, ...]) -> Fans | None:
    """None for an empty tensor, whose fans may be 0: there is nothing to fill."""
    checked(tensor, function)
    return fans(tensor, groups=groups, transposed=transposed, stride=stride) if tensor.numel() else None


def _kaiming(f: Fans | None, a: float, mode: str, nonlinearity: str | Callable[..., Any]) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f'kaiming: mode={mode!r}, expected "fan_in" (keeps the signal) or "fan_out" (the gradient)')
    if f is None:
        return 0.0
    leaky = nonlinearity == "leaky_relu"
    gain = gain_of("leaky_relu", negative_slope=a) if leaky else gain_of(nonlinearity)
    return kaiming_std(f.fan_in if mode == "fan_in" else f.fan_out, gain)


def _fill(tensor: Tensor, std: float, draw: Callable[..., Tensor], generator: Generator) -> Tensor:
    if tensor.is_meta or not tensor.numel():
        return tensor
    return put(tensor, std * draw(tensor, tuple(tensor.shape), generator))
