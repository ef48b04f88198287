"""The losses of a step: on what `backward` is called, from which line, and by what a scaler had multiplied it."""

from __future__ import annotations

import weakref
from types import FrameType
from typing import Any

from torch import Tensor
from torch.amp.grad_scaler import GradScaler

from trimtab.core.signal import LOSS, LOSS_SCALE
from trimtab.watching.buffer import Buffer, on_host
from trimtab.watching.names import line_of
from trimtab.watching.sites import Sites
from trimtab.watching.surprise import Surprise


class Losses:
    """Keeps every loss of the step that is under way; `close` hands their means on, one a line of the script."""

    def __init__(self, buffer: Buffer, sites: Sites) -> None:
        self._buffer, self._sites = buffer, sites
        self._of_step: dict[int, list[tuple[Any, Tensor | None]]] = {}
        self._lines: dict[tuple[Any, int], int] = {}
        self._scaled: weakref.ref[Tensor] | None = None
        self._unscaled: tuple[Tensor, Tensor] | None = None
        self._surprise = Surprise()
        self.stands_out = False  # whether the last loss was far above those before
        self.latest: float | None = None  # of those that could be read without waiting for a device

    def __bool__(self) -> bool:
        return bool(self._of_step)

    @property
    def factor(self) -> Tensor | None:
        """What the gradients of this step are too large by."""
        return next((factor for group in self._of_step.values() for _, factor in group if factor is not None), None)

    def scaled(self, scaler: GradScaler, outputs: Any, scaled: Any) -> None:
        """A GradScaler scales the loss: the script's loss is the one before."""
        factor = getattr(scaler, "_scale", None)
        if isinstance(scaled, Tensor) and isinstance(outputs, Tensor) and scaled is not outputs and factor is not None:
            self._scaled, self._unscaled = weakref.ref(scaled), (outputs.detach(), factor.detach().clone())

    def keep(self, step: int, root: Tensor, frame: FrameType | None) -> float | None:
        """Keep one loss; returns its value where that can be read without waiting for a device."""
        self.stands_out = False
        loss, factor = root, None
        if self._scaled is not None and self._scaled() is root and self._unscaled is not None:
            loss, factor = self._unscaled
        site = self._site(frame)
        group = self._of_step.setdefault(site, [])
        if not on_host(loss):
            # Kept on its device until the next flush; the script may change the tensor itself in place.
            group.append((loss.detach().clone(), factor))
            return None
        value = self.latest = loss.item()
        self.stands_out = self._surprise.stands_out(step, site, value)
        group.append((value, factor))
        return value

    def close(self, step: int) -> None:
        """The step is done: its losses go to the buffer."""
        for site, group in self._of_step.items():
            values = [loss for loss, _ in group]
            together = values[0] if len(values) == 1 else sum(values[1:], values[0]) / len(values)
            self._buffer.put(step, LOSS, site, together)
            factor = group[-1][1]
            if factor is not None:
                self._buffer.put(step, LOSS_SCALE, site, factor)
        self._of_step, self._unscaled = {}, None

    def _site(self, frame: FrameType | None) -> int:
        place = (None, 0) if frame is None else (frame.f_code, frame.f_lineno)
        site = self._lines.get(place)
        if site is None:
            name = line_of(frame)
            site = self._lines[place] = self._sites.index("loss", name, line=name)
        return site
