"""The autograd graph as the instrument: from a loss, find layers, activations, the data and the depth of each.

A layer is a node where a parameter joins the signal. Nothing is intercepted in the forward pass: the graph that torch
built for `backward` is walked once, so functional code, raw tensors, shared modules and modules in plain lists are seen
alike, and what is measured is what is differentiated.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from trimtab.watching.ops import ACTIVATIONS, ARITHMETIC, LAYERS, LOSSES, PLUMBING, WEIGHT_OPS, short_name

MAX_NODES = 50_000  # one walk costs about 1.5 µs a node; beyond this the watcher says that it saw a part only

Node = Any  # torch.autograd.graph.Node; its saved tensors and sequence number are not in the stubs


@dataclass(slots=True, eq=False)
class Layer:
    """A node where parameters join the signal. `out` is the node of its output: the bias addition, if that is apart."""

    node: Node
    out: Node
    op: str
    params: list[Tensor]
    depth: int
    entry: bool


@dataclass(slots=True, eq=False)
class Activation:
    """An activation's node with the layer before it. `role`: hidden, gate (multiplies a signal) or output."""

    node: Node
    fn: str
    saved: str
    after: Layer | None
    depth: int
    role: str = "output"


@dataclass(slots=True)
class Survey:
    """What one walk found, in execution order."""

    layers: list[Layer] = field(default_factory=list[Layer])
    activations: list[Activation] = field(default_factory=list[Activation])
    params: dict[int, Tensor] = field(default_factory=dict[int, Tensor])
    loss_kind: str = "other"
    opaque: set[str] = field(default_factory=set[str])
    nodes: list[Node] = field(default_factory=list[Node])
    complete: bool = True


@dataclass(slots=True)
class _Known:
    """What the walk knows of a node once its inputs are known."""

    carries: list[Tensor]  # parameters, where the node depends on nothing else
    layer: Layer | None = None  # the nearest layer below
    depth: int = 0


def survey(roots: Iterable[Tensor], is_parameter: Any) -> Survey:
    """Walk the graph below `roots`; `is_parameter(leaf)` tells parameters from data that requires a gradient."""
    found = Survey()
    order, found.complete = _postorder([root.grad_fn for root in roots if root.grad_fn is not None])
    found.nodes = order
    known: dict[Node, _Known] = {}
    for node in order:
        known[node] = _classify(node, known, found, is_parameter)
    _assign_roles(order, known, found)
    found.loss_kind = _loss_kind(order)
    return found


def _postorder(roots: list[Node]) -> tuple[list[Node], bool]:
    """Nodes such that each stands after all it depends on; False when the walk was cut."""
    order: list[Node] = []
    seen: set[Node] = set(roots)
    stack: list[tuple[Node, Any]] = [(root, iter(root.next_functions)) for root in roots]
    while stack:
        node, children = stack[-1]
        for child, _ in children:
            if child is not None and child not in seen:
                if len(seen) >= MAX_NODES:
                    return order, False
                seen.add(child)
                stack.append((child, iter(child.next_functions)))
                break
        else:
            order.append(node)
            stack.pop()
    return order, True


def _classify(node: Node, known: dict[Node, _Known], found: Survey, is_parameter: Any) -> _Known:
    name = short_name(node.name())
    if name == "AccumulateGrad":
        leaf = node.variable
        if not is_parameter(leaf):
            return _Known([])
        found.params[id(leaf)] = leaf
        return _Known([leaf])
    below = [known.get(child) if child is not None else None for child, _ in node.next_functions]
    params = [p for k in below if k is not None for p in k.carries]
    signals = [k for k in below if k is not None and not k.carries]
    if name.startswith(("CompiledFunction", "CheckpointFunction")):
        found.opaque.add(name)
    if name in LAYERS and params:
        return _layer(node, LAYERS[name], params, signals, below, found)
    if params and not signals and (name in PLUMBING or (name in ARITHMETIC and not _joins_data(node, name, below))):
        return _Known(params)
    nearest = max((k for k in signals if k.layer is not None), key=lambda k: k.depth, default=None)
    depth = max((k.depth for k in signals), default=0)
    layer = nearest.layer if nearest else None
    if params:
        if name == "Add" and layer is not None and layer.op in WEIGHT_OPS and _is_bias_of(params, layer):
            layer.params.extend(params)
            layer.out = node
            return _Known([], layer, depth)
        return _layer(node, "other", params, signals, below, found)
    if name in ACTIVATIONS:
        fn, saved = ACTIVATIONS[name]
        found.activations.append(Activation(node, fn, saved, layer, depth))
    return _Known([], layer, depth)


def _layer(
    node: Node, op: str, params: list[Tensor], signals: list[_Known], below: list[_Known | None], found: Survey
) -> _Known:
    depth = max((k.depth for k in signals), default=0) + (op in WEIGHT_OPS)
    made = Layer(node, node, op, params, depth, entry=not signals and (None in below or op == "embedding"))
    found.layers.append(made)
    return _Known([], made, depth)


def _joins_data(node: Node, name: str, below: list[_Known | None]) -> bool:
    """Whether parameter arithmetic has a data tensor (not a number) on its other side: `x * w` rather than `2 * w`."""
    if name not in ("Mul", "Div") or None not in below:
        return False
    raw = getattr(node, "_raw_saved_self" if below[0] is None else "_raw_saved_other", None)
    data = getattr(raw, "data", None)
    return isinstance(data, Tensor) and data.dim() > 0


def _is_bias_of(params: list[Tensor], layer: Layer) -> bool:
    weight = max(layer.params, key=lambda p: p.dim())
    return len(params) == 1 and params[0].numel() in weight.shape and params[0].numel() < max(weight.numel(), 2)


def _assign_roles(order: list[Node], known: dict[Node, _Known], found: Survey) -> None:
    """Hidden: a weight layer lies between the activation and the loss. Gate: it multiplies another signal."""
    weight_nodes = {layer.node for layer in found.layers if layer.op in WEIGHT_OPS}
    above: dict[Node, bool] = {}
    gates: set[Node] = set()
    for node in reversed(order):
        leads = above.get(node, False) or node in weight_nodes
        children = [child for child, _ in node.next_functions if child is not None]
        multiplies = short_name(node.name()) == "Mul" and len(children) == 2
        for child in children:
            above[child] = above.get(child, False) or leads
            if multiplies and not known[child].carries:
                gates.add(child)
    for activation in found.activations:
        if activation.node in gates:
            activation.role = "gate"
        elif above.get(activation.node, False):
            activation.role = "hidden"


def _loss_kind(order: list[Node]) -> str:
    """The last loss node before the root; sums and scalings above it are passed over."""
    for node in reversed(order[-12:]):
        kind = LOSSES.get(short_name(node.name()))
        if kind is not None:
            return kind
    return "other"


def saved(node: Node, name: str) -> Tensor | None:
    """A saved tensor of a node, or None: not kept, changed in place since, or packed by saved-tensor hooks.

    Unpacking a hooked tensor would run the hook: under activation checkpointing that is a second forward pass, which
    would update batch-norm statistics twice. Such tensors are left alone.
    """
    raw = getattr(node, f"_raw_saved_{name}", None)
    if raw is None or getattr(raw, "unpack_hook", raw) is not None:
        return None
    try:
        value = getattr(node, f"_saved_{name}")
    except RuntimeError:
        return None
    return value.detach() if isinstance(value, Tensor) else None


def layer_input(layer: Layer) -> Tensor | None:
    """The signal that enters a layer, as the graph kept it for the weight's gradient: [examples, ...]."""
    node, name = layer.node, short_name(layer.node.name())
    candidates = {
        "Addmm": ("mat1",),
        "Mm": ("self",),
        "Bmm": ("self",),
        "Baddbmm": ("batch1",),
        "Mv": ("self",),
        "Dot": ("self",),
    }.get(name, ("input", "self"))
    for candidate in candidates:
        value = saved(node, candidate)
        if value is not None and value.is_floating_point() and value.dim() >= 1:
            weight_like = any(value.data_ptr() == p.data_ptr() for p in layer.params)
            return None if weight_like else value
    return None


def main_parameter(layer: Layer) -> Tensor:
    """The weight of a layer: its parameter of most dimensions."""
    return max(layer.params, key=lambda p: p.dim())


def input_axis(layer: Layer) -> int | None:
    """The axis of a weight that runs over inputs: weights are [out, in, …] in `nn`, tables [tokens, out].

    A raw `x @ w` has [in, out], and no transpose in its graph.
    """
    weight = main_parameter(layer)
    if weight.dim() < 2:
        return None
    if layer.op == "embedding":
        return 0
    if layer.op not in WEIGHT_OPS:
        return None
    raw = short_name(layer.node.name()) in ("Addmm", "Mm") and any(
        child is not None and getattr(child, "variable", None) is weight for child, _ in layer.node.next_functions
    )
    return 0 if raw else 1


def fan_in(layer: Layer) -> int | None:
    """Inputs per unit; None where a layer has no weight matrix."""
    axis = input_axis(layer) if layer.op in WEIGHT_OPS else None
    if axis is None:
        return None
    weight = main_parameter(layer)
    return weight.shape[0] if axis == 0 else weight.numel() // max(weight.shape[0], 1)


def sequence_number(node: Node) -> int:
    """Execution order of a node within its thread; identifies it without keeping it alive."""
    return int(node._sequence_nr())


def graph_roots(tensors: Any) -> list[Tensor]:
    """The tensors that `backward` was called on, as a list (gradient edges have no graph to read here)."""
    if isinstance(tensors, Tensor):
        return [tensors]
    try:
        return [t for t in tensors if isinstance(t, Tensor)]
    except TypeError:
        return []


in_backward = torch._C._current_graph_task_id  # −1 outside a backward pass
