"""The gradient by depth at the last look, as a row of cells or as a bar for each layer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from rich.cells import cell_len, set_cell_size
from rich.text import Text

from trimtab.core.signal import DELTA_NORM
from trimtab.core.trace import Floats, Trace
from trimtab.live.glyphs import Glyphs, level
from trimtab.report.names import unique_labels

LAYERS = 12
_LABEL = 10
_DECADES = 12.0
_HEAT = ("#5c6bc0", "#2f9fc4", "#35b08a", "#7cba3c", "#d9c62c")  # little gradient … much


@dataclass(frozen=True, slots=True)
class Depth:
    """‖dL/dφ‖ of at most a dozen layers in their order, first to last; `norms` [L] may be 0, Inf or NaN."""

    labels: tuple[str, ...]
    norms: Floats

    @classmethod
    def of(cls, trace: Trace) -> Depth:
        """The layers that the last look saw; of more than a dozen, some evenly over the depth and both ends."""
        sites, seen = trace.of("layer"), trace[DELTA_NORM]
        measured = np.flatnonzero(~np.isnan(seen).all(axis=1)) if seen.size else []
        if not len(measured):
            return cls((), np.empty(0))
        last = seen[measured[-1]]
        places = [place for place in range(len(last)) if not np.isnan(last[place])]
        places.sort(key=lambda place: _order(sites[place].attrs.get("order"), place))
        if len(places) > LAYERS:
            places = [places[i] for i in np.linspace(0, len(places) - 1, LAYERS).round().astype(int)]
        return cls(tuple(unique_labels([sites[place].name for place in places])), last[places])

    def flat(self, glyphs: Glyphs) -> list[Text]:
        """One line: a cell for each layer."""
        if not self.labels:
            return []
        line = Text.assemble((f"{'gradient':<{_LABEL}}", "dim"), ("first ", "dim"))
        for share in self._shares():
            line.append(*_cell(share, glyphs))
        return [line.append(" last", "dim").append(f"  {self._ends(glyphs)}", "dim")]

    def tall(self, width: int, glyphs: Glyphs) -> list[Text]:
        """A line for each layer: name, a bar on a logarithmic scale, the norm."""
        found: list[Text] = []
        names = min(max(map(cell_len, self.labels), default=0), 20)
        for place, (label, norm, share) in enumerate(zip(self.labels, self.norms, self._shares(), strict=True)):
            line = Text.assemble((f"{'' if place else 'gradient':<{_LABEL}}", "dim"), f"{set_cell_size(label, names)} ")
            room = max(min(width - line.cell_len - 10, 40), 4)
            length = 1 if share is None else 1 + round(share * (room - 1))
            line.append((glyphs.bad if share is None else glyphs.bar) * length, _colour(share))
            found.append(line.append(" " * (room - length) + f" {_short(float(norm))}", "dim"))
        return found

    def _shares(self) -> list[float | None]:
        """Where each norm lies on the scale, from 0 to 1; None where it is NaN or Inf."""
        positive = self.norms[np.isfinite(self.norms) & (self.norms > 0)]
        top = float(np.log10(positive.max())) if len(positive) else 0.0
        bottom = max(min(float(np.log10(positive.min())) if len(positive) else 0.0, top - 1), top - _DECADES)
        return [_share(float(norm), bottom, top) for norm in self.norms]

    def _ends(self, glyphs: Glyphs) -> str:
        return f"{_short(float(self.norms[0]))} {glyphs.to} {_short(float(self.norms[-1]))}"


def _order(order: object, place: int) -> tuple[float, int]:
    return (float(order), place) if isinstance(order, (int, float)) else (float("inf"), place)


def _share(norm: float, bottom: float, top: float) -> float | None:
    if not np.isfinite(norm):
        return None
    return 0.0 if norm <= 0 else float(np.clip((np.log10(norm) - bottom) / (top - bottom), 0, 1))


def _cell(share: float | None, glyphs: Glyphs) -> tuple[str, str]:
    if share is None:
        return glyphs.bad * 2, _colour(share)
    return glyphs.levels[level(share, 0, 1, len(glyphs.levels))] * 2, _colour(share)


def _colour(share: float | None) -> str:
    return "bold red" if share is None else _HEAT[level(share, 0, 1, len(_HEAT))]


def _short(norm: float) -> str:
    """Always eight characters or fewer: the order of magnitude is what is read."""
    return "NaN" if np.isnan(norm) else "Inf" if np.isinf(norm) else f"{norm:.1e}" if norm else "0"
