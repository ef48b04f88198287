"""The optimizers of the script: which parameters they hold, what to call them, and which step is under way."""

from __future__ import annotations

import gc
import sys
import weakref
from types import FrameType

from torch import Tensor
from torch.optim import Optimizer

from trimtab.watching.names import caller, line_of


class Optimizers:
    """Weak references to every optimizer, and the ids of their parameters."""

    def __init__(self) -> None:
        self._alive: weakref.WeakSet[Optimizer] = weakref.WeakSet()
        self._idle: weakref.WeakSet[Optimizer] = weakref.WeakSet()  # made before the watching, and not yet seen at work
        self._params: dict[int, tuple[weakref.ref[Tensor], str, weakref.ref[Optimizer]]] = {}
        self._groups: weakref.WeakKeyDictionary[Optimizer, list[tuple[int, int]]] = weakref.WeakKeyDictionary()
        self._lines: weakref.WeakKeyDictionary[Optimizer, str] = weakref.WeakKeyDictionary()
        self._stepping: tuple[weakref.ref[Optimizer], FrameType] | None = None
        self.plain = True  # no step was seen inside another, nor a closure

    def made(self, optimizer: Optimizer) -> None:
        """An optimizer was made in the script, at a line worth remembering."""
        self._lines[optimizer] = line_of(caller(sys._getframe(2)))
        self.known(optimizer)

    def find_existing(self) -> None:
        """Optimizers made before the watching began: of this program, or left over from one that ran before it."""
        for thing in gc.get_objects():
            if issubclass(type(thing), Optimizer):
                self.known(thing)
                self._idle.add(thing)

    def known(self, optimizer: Optimizer) -> None:
        """Take in an optimizer, and parameters that were added to it since, or put in the place of others."""
        self._idle.discard(optimizer)
        lists = [(id(group["params"]), len(group["params"])) for group in getattr(optimizer, "param_groups", ())]
        if self._groups.get(optimizer) != lists:
            self._groups[optimizer] = lists
            self._alive.add(optimizer)
            for group in optimizer.param_groups:
                for p in group["params"]:
                    self._params[id(p)] = (weakref.ref(p), type(optimizer).__name__, weakref.ref(optimizer))

    def holds(self, tensor: Tensor) -> bool:
        """Whether an optimizer updates this tensor."""
        return self.of(tensor) is not None

    def of(self, tensor: Tensor) -> str | None:
        """The class of the optimizer that updates this tensor."""
        entry = self._params.get(id(tensor))
        if entry is None or entry[0]() is not tensor:
            return None
        if (optimizer := entry[2]()) is not None:
            self._idle.discard(optimizer)  # what is trained here is its own
        return entry[1]

    def line(self, optimizer: Optimizer) -> str:
        """Where the optimizer was made: "train.py:31"; empty when it was not seen."""
        return self._lines.get(optimizer, "")

    def none_alive(self) -> bool:
        """Whether the script updates by hand, as far as can be seen."""
        return len(self._alive) == len(self._idle)

    def alive(self) -> list[Optimizer]:
        """The optimizers of this program."""
        return [optimizer for optimizer in self._alive if optimizer not in self._idle]

    def step_begins(self, optimizer: Optimizer, frame: FrameType, has_closure: bool) -> bool:
        """Whether this is an outermost step: a wrapper such as Lookahead calls another optimizer's from its own.

        `frame` is the one that runs the step; a step that raised has left the stack and does not count as outer.
        """
        self.plain = self.plain and not has_closure
        if self._stepping is not None and self._stepping[0]() is not optimizer and _runs(self._stepping[1], frame):
            self.plain = False
            return False
        self._stepping = (weakref.ref(optimizer), frame)
        return True

    def step_ends(self, optimizer: Optimizer, began: bool) -> bool:
        """Whether the step that ends is the outermost; `began`: its beginning was listened for."""
        if not began:
            if optimizer not in self._alive:
                self.known(optimizer)
            return True
        if self._stepping is None or self._stepping[0]() is not optimizer:
            return False
        self._stepping = None
        return True

    def in_step(self) -> bool:
        """Whether a step is under way in this thread (a closure is being evaluated)."""
        return self._stepping is not None and _runs(self._stepping[1], sys._getframe(1))


def _runs(frame: FrameType, current: FrameType | None) -> bool:
    """Whether `frame` is still on the call stack."""
    while current is not None:
        if current is frame:
            return True
        current = current.f_back
    return False
