"""The probes around a step: what is read before a backward, after it, before the update and after the update."""

from __future__ import annotations

from torch import Tensor
from torch.optim import Optimizer

from trimtab.core.signal import GRAD_RMS, GRAD_USED_RMS
from trimtab.watching.buffer import Buffer
from trimtab.watching.look import Look
from trimtab.watching.optimizers import Optimizers
from trimtab.watching.probes.columns import ColumnProbe
from trimtab.watching.probes.leftovers import Leftovers
from trimtab.watching.probes.noise import NoiseProbe
from trimtab.watching.probes.optimizer_state import read_state
from trimtab.watching.probes.parameters import UpdateProbe, gradient_rms
from trimtab.watching.probes.units import UnitProbe
from trimtab.watching.probes.wiring import read_ownership, read_reach
from trimtab.watching.sites import Sites


class StepProbes:
    """Everything that is measured of parameters, gradients and updates on a step that is looked at."""

    def __init__(self, buffer: Buffer, sites: Sites, look: Look, optimizers: Optimizers) -> None:
        self._buffer, self._sites, self._look, self._optimizers = buffer, sites, look, optimizers
        self._updates, self._units, self._noise = UpdateProbe(), UnitProbe(), NoiseProbe()
        self._leftovers, self._columns = Leftovers(buffer, sites), ColumnProbe()
        self._placed: list[tuple[int, Tensor]] = []
        self._by_hand: list[Tensor] = []
        self._closure = False  # the step under way computes its gradients itself

    @property
    def pending(self) -> bool:
        """Whether a step has begun that was to be measured to its end."""
        return self._updates.pending

    def before_backward(self, step: int) -> None:
        """A backward begins, perhaps on top of gradients that are there already."""
        if not self._optimizers.none_alive():
            self._leftovers.before_backward(self._optimizers.alive())
        elif self._by_hand:
            self._leftovers.by_hand(step, self._by_hand)
        self._by_hand = []

    def after_backward(self, step: int, placed: list[tuple[int, Tensor]], factor: Tensor | None) -> None:
        """All gradients are there, not yet clipped; `factor` is what a GradScaler multiplied them by."""
        gradient_rms(self._buffer, step, GRAD_RMS, placed, factor)
        self._columns.read(self._buffer, step, placed, self._look.input_axis)
        read_ownership(self._buffer, step, self._optimizers, placed)
        if self._optimizers.none_alive():
            self.before_hand(placed)

    def before_hand(self, placed: list[tuple[int, Tensor]]) -> None:
        """The weights before a program updates them itself."""
        self._placed = placed
        self._by_hand = [p for _, p in placed]
        self._updates.before(placed)

    def before_step(self, step: int, optimizer: Optimizer, has_closure: bool) -> None:
        """Just before the update: gradients as they are used, weights as they were."""
        held = [p for group in optimizer.param_groups for p in group["params"]]
        self._closure = has_closure
        if has_closure:
            self._updates.before_closure([p for p in held if p.requires_grad])
            return
        self._placed = self._look.place([p for p in held if p.grad is not None])
        self._read_used(step, optimizer)
        self._updates.before(self._placed)

    def _read_used(self, step: int, optimizer: Optimizer) -> None:
        """Gradients as the step uses them: clipped, and unscaled."""
        factor = getattr(optimizer, "grad_scale", None)  # a fused optimizer undoes the scaling itself
        gradient_rms(self._buffer, step, GRAD_USED_RMS, self._placed, factor)
        self._noise.read(self._buffer, step, self._sites.index("run", "run"), optimizer)
        read_reach(self._buffer, step, optimizer, self._look.place, self._look.was_called)

    def after_step(self, step: int, optimizer: Optimizer | None, site: int | None, evaluations: int) -> None:
        """Just after the update, by an optimizer with its site or by hand; `evaluations`: of its closure."""
        if optimizer is not None and self._closure:
            held = [p for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
            self._placed = self._look.place(held)
            self._updates.after_closure(self._placed)
            if evaluations == 1:  # the gradient that the closure has left is the one that was used
                self._read_used(step, optimizer)
        self._closure = False
        if not self._updates.after(self._buffer, step, by_hand=optimizer is None):
            self._by_hand = []  # accumulated, or made anew: nothing can be left over
        self._units.read(self._buffer, step, self._placed, self._look.gates)
        if optimizer is not None and site is not None:
            self._leftovers.after_step(step, optimizer, site)
            read_state(self._buffer, step, optimizer, {id(p): place for place, p in self._placed})
        self._placed = []
