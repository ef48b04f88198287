"""In which mode a model is called, with gradient and without: where dropout or batch norm make it matter."""

from __future__ import annotations

import weakref
from collections import defaultdict
from collections.abc import Callable
from types import CodeType, FrameType

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

from trimtab.core.signal import EVALUATION_MODE, TRAINING_MODE
from trimtab.watching.buffer import Buffer
from trimtab.watching.names import of_script
from trimtab.watching.sites import Sites
from trimtab.watching.wrappers import unwrapped

MOST_WINDOWS = 400  # stretches without gradient in which a model was called: what they tell is known by then
FRUITLESS = 8  # such stretches at one place in which none was: an update by hand or an average, not an evaluation


class Modes:
    """Writes down the mode of root models, by the name that `name_of` gives them (None: not a root)."""

    def __init__(self, buffer: Buffer, sites: Sites, name_of: Callable[[nn.Module], str | None]) -> None:
        self._buffer, self._sites, self._name_of = buffer, sites, name_of
        self._stateful: weakref.WeakKeyDictionary[nn.Module, int] = weakref.WeakKeyDictionary()
        self._windows = 0
        self._fruitless: defaultdict[tuple[CodeType, int], int] = defaultdict(int)
        self._open: tuple[CodeType, int] | None = None

    def worth_listening(self, frame: FrameType) -> bool:
        """Whether a model may be called in the stretch without gradient that begins in this frame."""
        place = _place(frame)
        if place is None or self._windows >= MOST_WINDOWS or self._fruitless[place] >= FRUITLESS:
            return False
        self._fruitless[place] += 1
        self._open = place
        return True

    def called(self, step: int, model: nn.Module, with_gradient: bool) -> bool:
        """A model is called; returns whether it is a root, so that no more need be heard."""
        name = self._name_of(model)
        if name is None:
            return False
        if not with_gradient:
            self._windows += 1
            if self._open is not None:
                self._fruitless[self._open] = 0
        stateful = self._stateful.get(model)
        if stateful is None:
            stateful = self._stateful[model] = sum(_minds(part) for part in model.modules())
        if stateful:
            site = self._sites.index("model", name, name, stateful=stateful)
            signal = TRAINING_MODE if with_gradient else EVALUATION_MODE
            self._buffer.put(step, signal, site, float(unwrapped(model).training))
        return True


def _place(frame: FrameType) -> tuple[CodeType, int] | None:
    """Where the script turned gradients off: in a block, or by a decorator of a function of its own."""
    if of_script(frame.f_code):
        return frame.f_code, frame.f_lineno
    if frame.f_code.co_name == "decorate_context":
        code = getattr(frame.f_locals.get("func"), "__code__", None)
        if isinstance(code, CodeType) and of_script(code):
            return code, 0
    return None


def _minds(part: nn.Module) -> bool:
    """Whether a layer does something else in training than in evaluation."""
    if isinstance(part, _DropoutNd):
        return part.p > 0
    if isinstance(part, _BatchNorm):
        own = list(part.parameters(recurse=False))
        return part.track_running_stats and (not own or any(p.requires_grad for p in own))  # frozen, it minds nothing
    dropout = getattr(part, "dropout", 0.0) if isinstance(part, (nn.RNNBase, nn.MultiheadAttention)) else 0.0
    return isinstance(dropout, float) and dropout > 0
