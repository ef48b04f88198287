"""What the loss compares: predictions and targets, read at the top of the graph, and faults in how the two meet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from trimtab.watching.graph import Node, saved
from trimtab.watching.ops import CARRIERS, LOSSES, REDUCTIONS, short_name

MOST_NODES = 400  # above the predictions there is the loss alone; a longer way down has lost itself in the model
SATURATORS = {"Softmax": "softmax", "Sigmoid": "sigmoid"}


@dataclass(frozen=True, slots=True, eq=False)
class Objective:
    """One place where predictions meet targets. `kind` as in ops.LOSSES, or "squared"/"absolute" where made by hand.

    `residual` is target − prediction, where only the difference was kept. `form` is a fault of the meeting: "softmax"
    or "sigmoid" (applied before a loss that applies its own), "probabilities" (where log-probabilities are due),
    "broadcast"; `detail` says it in shapes or names.
    """

    kind: str
    prediction: Tensor | None = None
    target: Tensor | None = None
    residual: Tensor | None = None
    classes: int | None = None
    form: str | None = None
    detail: str | None = None

    @property
    def columns(self) -> int | None:
        """Numbers to be predicted for each example; None where nothing is known of the targets."""
        target = self.target if self.residual is None else self.residual
        if target is None or target.numel() == 0:
            return None
        return target.numel() // target.shape[0] if target.dim() else 1


def objectives(roots: list[Tensor]) -> list[Objective]:
    """Every objective under the roots, in the order in which the graph has them."""
    found = [objective for node in _top(roots) if (objective := _objective(node)) is not None]
    # A loss with smoothed labels reaches its log_softmax by two ways: told of once.
    meetings = [o for o in found if o.prediction is not None or o.target is not None or o.residual is not None]
    return meetings or found[:1]


def _top(roots: list[Tensor]) -> Iterator[Node]:
    """Nodes from the roots down to where predictions and targets meet, and no further."""
    stack: list[Node | None] = [root.grad_fn for root in reversed(roots)]
    seen: set[Node] = set()
    while stack and len(seen) < MOST_NODES:
        node = stack.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        yield node
        name = short_name(node.name())
        if name in REDUCTIONS and not _is_meeting(node, name):
            stack += [child for child, _ in reversed(node.next_functions)]


def _is_meeting(node: Node, name: str) -> bool:
    return name in LOSSES or (name in ("Pow", "Abs", "Mul") and _difference(node, name) is not None)


def _objective(node: Node) -> Objective | None:
    name = short_name(node.name())
    if name in LOSSES:
        return _of_library(node, name)
    if name == "Mul" and (found := _soft(node)) is not None:
        return found
    if name in ("Pow", "Abs", "Mul"):
        return _by_hand(node, name)
    if name in ("Gather", "Index") and _child(node) is not None:
        return _picked(node, name)
    if name in ("LogSoftmax", "Logsumexp") and (form := _applied_before(node)):
        return Objective("cross_entropy", form=form, detail=f"{form}, then log_softmax")
    return None


# --- torch's own losses


def _of_library(node: Node, name: str) -> Objective:
    kind = LOSSES[name]
    prediction, target = saved(node, "self"), saved(node, "target")
    classes = (
        prediction.shape[1] if kind == "cross_entropy" and prediction is not None and prediction.dim() > 1 else None
    )
    form, detail = _form(node, kind, prediction, target)
    return Objective(kind, prediction, target, None, classes, form, detail)


def _form(node: Node, kind: str, prediction: Tensor | None, target: Tensor | None) -> tuple[str | None, str | None]:
    below = _child(node)
    if below is None:
        return None, None
    if kind == "cross_entropy":
        below, name = _through_carriers(below)
        if name == "LogSoftmax":
            form = _applied_before(below)
            return form, f"{form}, then the log_softmax of the loss" if form else None
        return ("probabilities", "softmax, without a log") if name == "Softmax" else (None, None)
    if kind == "binary_cross_entropy_with_logits":
        name = _through_carriers(below)[1]
        form = SATURATORS.get(name)
        return form, f"{form}, then the sigmoid of the loss" if form else None
    if kind in ("mse", "smooth_l1", "huber"):
        return _broadcast(prediction, target, _sizes_before_expand(below))
    return None, None


def _applied_before(log_softmax: Node) -> str | None:
    """The squashing that a log_softmax was given; a log_softmax of a log_softmax changes nothing."""
    below = _child(log_softmax)
    return None if below is None else SATURATORS.get(_through_carriers(below)[1])


def _broadcast(
    prediction: Tensor | None, target: Tensor | None, sizes: tuple[int, ...] | None
) -> tuple[str | None, str | None]:
    """An outer difference: every prediction is compared with every target."""
    if prediction is None or target is None or sizes is None:
        return None, None
    given, meant = _numel(sizes), _distinct(target)
    if given > 1 and meant > 1 and prediction.numel() == given * meant:
        return "broadcast", f"a prediction of {_shape(sizes)} and {meant} targets give {_shape(prediction.shape)}"
    return None, None


def _sizes_before_expand(node: Node) -> tuple[int, ...] | None:
    if short_name(node.name()) != "Expand":
        return None
    return tuple(int(size) for size in node._saved_self_sym_sizes)


def _distinct(x: Tensor) -> int:
    """Elements that an expanded tensor really has."""
    return _numel([size for size, stride in zip(x.shape, x.stride(), strict=True) if stride != 0])


# --- losses made by hand


def _by_hand(node: Node, name: str) -> Objective | None:
    difference = _difference(node, name)
    if difference is None:
        return None
    residual = saved(node, "self")
    if residual is not None and difference.next_functions[0][0] is not None:
        residual = -residual  # prediction − target, turned about: of a fresh model it is the target
    form, detail = _outer(difference)
    return Objective("absolute" if name == "Abs" else "squared", residual=residual, form=form, detail=detail)


def _difference(node: Node, name: str) -> Node | None:
    """The subtraction of a target without gradient whose result is squared, or whose size is taken."""
    below = _child(node)
    if below is None:
        return None
    if name == "Pow" and getattr(node, "_saved_exponent", None) != 2:
        return None
    if name == "Mul" and len({child for child, _ in node.next_functions}) > 1:
        return None
    below, kind = _through_carriers(below)
    if kind not in ("Sub", "Rsub") or sum(child is not None for child, _ in below.next_functions) != 1:
        return None
    return below


def _outer(difference: Node) -> tuple[str | None, str | None]:
    """A column of n against a row of n gives n by n. The target itself is not kept: the shapes tell."""
    result = tuple(difference._input_metadata[0].shape)
    below, place = next(pair for pair in difference.next_functions if pair[0] is not None)
    sizes = _sizes_before_expand(below)
    if sizes is None:
        sizes = tuple(below._input_metadata[place].shape)
    given = _numel(sizes)
    square = len(result) > 1 and result[-1] == result[-2] == given
    if given > 1 and square and _numel(result) == given * given:
        return "broadcast", f"a prediction of {_shape(sizes)} gives differences of {_shape(result)}"
    return None, None


def _picked(node: Node, name: str) -> Objective | None:
    """−log p picked at the class of each example."""
    below = _child(node)
    if below is None or short_name(below.name()) not in ("LogSoftmax", "Log"):
        return None
    index = _index(node) if name == "Index" else saved(node, "index")
    form = _applied_before(below) if short_name(below.name()) == "LogSoftmax" else None
    return Objective("cross_entropy", target=index, form=form, detail=f"{form}, then log_softmax" if form else None)


def _soft(node: Node) -> Objective | None:
    """Σ −y log p by hand, with a row of probabilities y for each example, mostly one-hot."""
    sides = [(child, name) for (child, _), name in zip(node.next_functions, ("other", "self"), strict=False)]
    logs = [(child, other) for child, other in sides if child is not None]
    if len(logs) != 1:
        return None
    (below, kind), target = _through_carriers(logs[0][0]), saved(node, logs[0][1])
    if kind not in ("LogSoftmax", "Log") or target is None or target.dim() < 2:
        return None
    form = _applied_before(below) if kind == "LogSoftmax" else None
    return Objective(
        "cross_entropy",
        target=target.argmax(1),
        classes=target.shape[1],
        form=form,
        detail=f"{form}, then log_softmax" if form else None,
    )


def _index(node: Node) -> Tensor | None:
    try:
        indices = [index for index in node._saved_indices if isinstance(index, Tensor)]
    except (AttributeError, RuntimeError):
        return None
    last = indices[-1] if indices else None
    return None if last is None or last.dtype == torch.bool else last.detach()


# --- the graph


def _child(node: Node) -> Node | None:
    return next((child for child, _ in node.next_functions if child is not None), None)


def _through_carriers(node: Node) -> tuple[Node, str]:
    """Down past nodes that only move values about, and the name of what is there."""
    name = short_name(node.name())
    while name in CARRIERS and (below := _child(node)) is not None:
        node, name = below, short_name(below.name())
    return node, name


def _numel(sizes: Any) -> int:
    total = 1
    for size in sizes:
        total *= int(size)
    return total


def _shape(sizes: Any) -> str:
    return "×".join(str(int(size)) for size in sizes) or "one"
