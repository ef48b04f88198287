"""Clipping of gradients: `by_norm_` and `by_value_` before any optimizer's step, the classes inside ours."""

from trimtab.clip.norm import ClipByNorm, by_norm_
from trimtab.clip.value import ClipByValue, by_value_

__all__ = ["ClipByNorm", "ClipByValue", "by_norm_", "by_value_"]
