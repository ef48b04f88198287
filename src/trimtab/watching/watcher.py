"""The watcher: turns what the hooks report into readings, on the steps that are looked at."""

from __future__ import annotations

import functools
import math
import os
import sys
import threading
import time
import weakref
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.amp.grad_scaler import GradScaler
from torch.optim import Optimizer

from trimtab.core.errors import TrimtabError
from trimtab.core.signal import Signal
from trimtab.core.trace import Event, Scalar, Trace
from trimtab.record import Writer
from trimtab.version import __version__
from trimtab.watching.buffer import Buffer
from trimtab.watching.flush import Flusher
from trimtab.watching.graph import graph_roots
from trimtab.watching.hooks import Hooks
from trimtab.watching.look import Look
from trimtab.watching.losses import Losses
from trimtab.watching.modes import Modes
from trimtab.watching.names import caller, line_of
from trimtab.watching.optimizers import Optimizers
from trimtab.watching.pace import Pace
from trimtab.watching.rates import Rates
from trimtab.watching.sites import Sites
from trimtab.watching.stepping import StepProbes

F = TypeVar("F", bound=Callable[..., Any])

OF_ANY_THREAD = ("gradient_turned_off", "model_called")  # no sign of training: our own flush turns gradients off too


class MaxSteps(SystemExit):
    """Raised out of `optimizer.step()` when the wanted number of steps is done: the script ends as by sys.exit(0)."""


def guarded(method: F) -> F:
    """An error of trimtab's own is written down and ends the watching; the training goes on untouched."""

    @functools.wraps(method)
    def call(self: Watcher, *args: Any) -> Any:
        if not self.watching or (threading.get_ident() != self._thread and not self._own_thread(method.__name__)):
            return None
        began = time.perf_counter()
        self.busy = True
        try:
            return method(self, *args)
        except Exception as error:
            self._give_up(error)
        finally:
            self.busy = False
            self._pace.spent += time.perf_counter() - began
        return None

    return call  # type: ignore[return-value]


class Watcher:
    """Watches whatever trains between `start` and `stop`, or inside a `with` block.

    `record`: path of the run record, or None to keep it in memory. `budget`: percent of the training time that watching
    may cost beyond the first 30 steps. `model` and `optimizer` are optional: both are found when they are used.
    """

    def __init__(
        self,
        model: nn.Module | None = None,
        optimizer: Optimizer | None = None,
        *,
        record: str | os.PathLike[str] | None = None,
        budget: float = 3.0,
        max_steps: int | None = None,
        script: str | None = None,
    ) -> None:
        if not 0 <= budget <= 100:
            raise TrimtabError(f"the budget is a percentage of the training time, from 0 to 100; got {budget:g}")
        if model is not None and not isinstance(model, nn.Module):
            raise TrimtabError(f"watch takes (model, optimizer): a torch.nn.Module; got {_kind(model)}")
        if optimizer is not None and not isinstance(optimizer, Optimizer):
            raise TrimtabError(
                f"watch takes (model, optimizer): an optimizer is of torch.optim; got {_kind(optimizer)}"
            )
        if max_steps is not None and max_steps < 1:
            raise TrimtabError(f"max_steps is a number of optimizer steps, at least 1; got {max_steps}")
        self.steps = 0
        self.watching = False
        self._model, self._optimizer, self._max_steps = model, optimizer, max_steps
        started = time.strftime("%Y-%m-%dT%H:%M:%S%z")
        meta = {"script": script, "started": started, "trimtab": __version__, "torch": torch.__version__, "ended": None}
        self._writer = Writer(record, {**meta, "budget": budget / 100, "pid": os.getpid()})
        self._pace = Pace(budget / 100)
        self._buffer, self._sites = Buffer(), Sites()
        self._flusher = Flusher(self._writer, self._buffer, self._sites, lambda: (self.steps, self._pace.overhead))
        self._hooks = Hooks(self)
        self._optimizers = Optimizers()
        self._look = Look(self._buffer, self._sites, self._pace, self._optimizers, self._say_unseen, model)
        self._probes = StepProbes(self._buffer, self._sites, self._look, self._optimizers)
        self._modes = Modes(self._buffer, self._sites, self._look.root_name)
        self.looking = self._looked = True
        self.busy = False
        self._losses, self._rates = Losses(self._buffer, self._sites), Rates(self._buffer, self._sites)
        self._backwards = 0
        self._backwards_in_step = 0
        self._evaluations = 0  # of the closure that the step under way was given
        self._thread: int | None = None
        self._pid = os.getpid()
        self._said: set[str] = set()
        self._found_nonfinite = False
        self._stopped = False

    # --- beginning and end

    def start(self) -> Watcher:
        """Begin to watch."""
        self.watching = True
        if self._optimizer is not None:
            self._optimizers.known(self._optimizer)
        self._hooks.install()
        self._hooks.arm()
        os.register_at_fork(after_in_child=_in_child(weakref.ref(self)))
        self._flusher.start()
        return self

    def stop(self, ended: str = "end", **facts: Scalar) -> None:
        """End the watching, leave no hook behind and finish the record; calling it again does nothing.

        `facts` are written into the record beside how the run ended.
        """
        if self._stopped or os.getpid() != self._pid:
            return
        self._stopped, self.watching = True, False
        self._hooks.remove()
        try:
            self._losses.close(self.steps)
            if self.steps == 0 and self._backwards:
                self._flusher.event(Event(0, "no-step", {"backwards": self._backwards}))
            self._flusher.stop()
            self._writer.set_meta(
                ended=ended,
                overhead=self._pace.overhead,
                dense_seconds=self._pace.dense_seconds,
                steps=self.steps,
                **facts,
            )
            self._writer.close()
        except Exception as error:
            print(f"trimtab: the record could not be finished: {error}", file=sys.stderr)

    def __enter__(self) -> Watcher:
        self._optimizers.find_existing()
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self.stop(_ending(kind))
        return kind is not None and issubclass(kind, MaxSteps)

    def trace(self) -> Trace:
        """Everything measured so far."""
        if not self._stopped:
            self._flusher.flush()
        return self._writer.trace()

    def remember(self, **facts: Scalar) -> None:
        """Write facts about the run into its record."""
        self._writer.set_meta(**facts)

    def note(self, signal: Signal, value: float) -> None:
        """Write down a number that somebody else has measured of the run, at this step."""
        self._buffer.put(self.steps, signal, self._sites.index("run", "run"), value)

    @property
    def loss(self) -> float | None:
        """The latest loss: the last one, or where a device has it the last that has crossed to the host."""
        return self._flusher.loss if self._losses.latest is None else self._losses.latest

    def _own_thread(self, what: str) -> bool:
        """Watch one training thread: the first that trains. Another one is left alone, and told of."""
        if self._thread is None and what not in OF_ANY_THREAD:
            self._thread = threading.get_ident()
        if threading.get_ident() == self._thread:
            return True
        if what == "backward_begins":
            self._say_unseen("thread", "training in a second thread")
        return False

    def _forked(self) -> None:
        """In a forked child (a DataLoader's worker) nothing is watched."""
        self.watching = False
        self._hooks.remove()

    def _give_up(self, error: Exception) -> None:
        self.watching = False
        self._hooks.remove()
        self._say_unseen("watcher", f"trimtab itself failed and stopped watching: {type(error).__name__}: {error}")

    def _say_unseen(self, reason: str, what: str) -> None:
        """Write down, once per reason, what could not be seen."""
        if reason not in self._said:
            self._said.add(reason)
            self._flusher.event(Event(self.steps, "unseen", {"reason": reason, "what": what}))

    @property
    def steps_are_plain(self) -> bool:
        """No optimizer was seen to call another's step, or a closure."""
        return self._optimizers.plain

    # --- what the hooks report

    @guarded
    def module_begins(self, module: nn.Module) -> None:
        """A forward pass begins, on a step that is looked at."""
        self._pace.begin()
        if self._look.module_begins(module):
            self._modes.called(self.steps, module, torch.is_grad_enabled())

    @guarded
    def module_ends(self, module: nn.Module, output: Any) -> None:
        """A forward pass ends: its output's node gets the module's name."""
        self._look.module_ends(module, output)

    @guarded
    def gradient_turned_off(self, frame: FrameType) -> None:
        """The script enters a stretch without gradient, in which it may evaluate a model."""
        if self.steps and not self._optimizers.in_step() and self._modes.worth_listening(frame):
            self._hooks.listen()

    @guarded
    def model_called(self, module: nn.Module) -> None:
        """A module is called after gradients were turned off; the first model tells what is to be known."""
        if self._modes.called(self.steps, module, torch.is_grad_enabled()):
            self._hooks.stop_listening()

    @guarded
    def optimizer_made(self, optimizer: Optimizer) -> None:
        """The script makes an optimizer."""
        self._optimizers.made(optimizer)

    @guarded
    def compile_called(self, model: Any) -> None:
        """A module that is compiled gives the names of its parts, for no hook will see it called."""
        if isinstance(model, nn.Module):
            self._look.root(model)

    @guarded
    def loss_scaled(self, scaler: GradScaler, outputs: Any, scaled: Any) -> None:
        """A GradScaler scales the loss: the script's loss is the one before."""
        self._losses.scaled(scaler, outputs, scaled)

    @guarded
    def backward_begins(self, tensors: Any) -> None:
        """The scalar on which backward is called is the loss; its graph shows the model."""
        roots = graph_roots(tensors)
        frame = caller(sys._getframe(3))
        self._begin_backward(roots, frame)
        # Of the evaluations in a closure only the first is at the weights from which the step begins.
        if self.looking and roots and not (self._optimizers.in_step() and self._evaluations > 1):
            with torch.no_grad():
                self._probes.before_backward(self.steps)
                self._look.survey(self.steps, roots, frame)

    def _begin_backward(self, roots: list[Tensor], frame: Any) -> None:
        self._pace.begin()
        closure = self._optimizers.in_step()
        if self._backwards_in_step and not closure and self._optimizers.none_alive():
            self._close_step(None)
        self._backwards += 1
        self._backwards_in_step += 1
        self._evaluations += closure
        for root in roots:
            # Of the many evaluations in a closure the first is the loss at the current weights.
            if root.numel() == 1 and not (closure and self._evaluations > 1):
                self._keep_loss(root, frame)

    def _keep_loss(self, root: Tensor, frame: FrameType | None) -> None:
        value = self._losses.keep(self.steps, root, frame)
        if self._losses.stands_out and not self.looking:
            self.looking = True
            self._hooks.arm()
        if value is not None and not math.isfinite(value) and not self._found_nonfinite:
            self._found_nonfinite = True
            with torch.no_grad():
                self._flusher.event(self._look.first_nonfinite(self.steps, root, frame, line_of(frame)))

    @guarded
    def backward_ends(self) -> None:
        """All gradients are there, not yet clipped, on a step that is looked at."""
        factor = self._losses.factor
        with torch.no_grad():
            self._probes.after_backward(self.steps, self._look.end(self.steps, factor), factor)

    @guarded
    def backward_failed(self) -> None:
        """The script's backward raised: take the hooks off its graph."""
        with torch.no_grad():
            self._look.end(self.steps, None)

    @guarded
    def grad_begins(self, outputs: Any, inputs: Any) -> bool:
        """torch.autograd.grad on what an optimizer holds, or on leaves where there is none; whether to look."""
        roots, leaves = graph_roots(outputs), graph_roots(inputs)
        mine = all(x.is_leaf for x in leaves) and (
            self._optimizers.none_alive() or all(self._optimizers.holds(x) for x in leaves)
        )
        if not (roots and leaves and mine):
            return False
        frame = caller(sys._getframe(3))
        self._begin_backward(roots, frame)
        if self.looking:
            with torch.no_grad():
                self._look.survey(self.steps, roots, frame)
        return self.looking

    @guarded
    def grad_ends(self, inputs: Any, gradients: Any) -> None:
        """The gradients have been returned, not accumulated."""
        with torch.no_grad():
            self._look.end(self.steps, None)
            placed = self._look.place(graph_roots(inputs))
            self._look.returned_gradients(self.steps, placed, gradients)
            if self._optimizers.none_alive():
                self._probes.before_hand(placed)

    @guarded
    def step_begins(self, optimizer: Optimizer, has_closure: bool, frame: FrameType) -> None:
        """Just before the update: gradients as they are used, weights as they were."""
        self._optimizers.known(optimizer)
        if not self._optimizers.step_begins(optimizer, frame, has_closure):
            return
        self._evaluations = 0
        # A second optimizer stepping after one backward belongs to the look that the backward had.
        if self.looking if self._backwards_in_step or has_closure else self._looked:
            with torch.no_grad():
                self._probes.before_step(self.steps, optimizer, has_closure)

    @guarded
    def step_ends(self, optimizer: Optimizer) -> None:
        """Just after the update. Raises MaxSteps, which the guard lets pass, when that was the last wanted step."""
        if self._optimizers.step_ends(optimizer, self._hooks.expecting_steps):
            self._close_step(optimizer)

    # --- the end of a step

    def _close_step(self, optimizer: Optimizer | None) -> None:
        if self._probes.pending:
            site = None if optimizer is None else self._rates.site(optimizer, self._optimizers.line)
            with torch.no_grad():
                self._probes.after_step(self.steps, optimizer, site, self._evaluations)
        self._losses.close(self.steps)
        deciding = self.looking or self.steps + 1 >= self._pace.again
        if optimizer is not None and deciding:
            self._rates.keep(self.steps, optimizer, self._optimizers.line, self.looking)
        self.steps += 1
        had_backward, self._backwards_in_step = self._backwards_in_step, 0
        if had_backward and deciding:
            self._next_step()
        elif had_backward:
            self._looked = False
        if self._max_steps is not None and self.steps >= self._max_steps:
            raise MaxSteps(0)

    def _next_step(self) -> None:
        """Decide whether the next step is looked at."""
        looked = self._looked = self.looking
        self._pace.spent += self._flusher.take_seconds()
        self.looking = self._pace.after_step(self.steps, looked)
        if self.looking != looked:
            (self._hooks.arm if self.looking else self._hooks.disarm)()
        if looked:
            self._look.forget()


def _ending(kind: type[BaseException] | None) -> str:
    """How a run ended, in the word of the record, from what was raised out of it."""
    words = {MaxSteps: "max-steps", KeyboardInterrupt: "interrupt", SystemExit: "exit"}
    return "end" if kind is None else next((words[each] for each in words if issubclass(kind, each)), "exception")


def _kind(thing: object) -> str:
    return type(thing).__name__


def _in_child(reference: weakref.ref[Watcher]) -> Callable[[], None]:
    def forget() -> None:
        watcher = reference()
        if watcher is not None and watcher.watching:
            watcher._forked()

    return forget
