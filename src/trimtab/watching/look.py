"""One look at a step: walk the loss's graph, give every place its site, and let the probes read."""

from __future__ import annotations

import re
import sys
import weakref
from collections import defaultdict
from collections.abc import Callable
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from trimtab.core.signal import GRAD_RMS
from trimtab.core.trace import Event
from trimtab.watching.buffer import Buffer
from trimtab.watching.graph import (
    Activation,
    Layer,
    Survey,
    fan_in,
    input_axis,
    main_parameter,
    sequence_number,
    survey,
)
from trimtab.watching.names import Names, line_of
from trimtab.watching.nonfinite import find_origin
from trimtab.watching.objective import objectives
from trimtab.watching.ops import WEIGHT_OPS
from trimtab.watching.optimizers import Optimizers
from trimtab.watching.pace import Pace
from trimtab.watching.probes.activations import ActivationProbe
from trimtab.watching.probes.batch_norms import read_batch_norm
from trimtab.watching.probes.features import FIRST_BATCHES, MAX_FEATURES, feature_rows, read_features
from trimtab.watching.probes.layers import GradientHooks, forward_scale, spaced
from trimtab.watching.probes.objectives import read_objective
from trimtab.watching.probes.through_time import TimeProbe
from trimtab.watching.sites import Sites

MAX_READS = 8  # calls of one layer or activation whose forward tensors are read in one backward
MAX_OBJECTIVES = 8
FED = frozenset({"linear", "conv", "recurrent"})  # layers whose input features are measured when data enters there


_RECURRENT = re.compile(r"\.weight_[a-z]+_l\d+(_reverse)?$")  # of nn.RNN and its kin, whose layers are parameters


class Look:
    """What is known of the model's places, and the reading of one step."""

    def __init__(
        self,
        buffer: Buffer,
        sites: Sites,
        pace: Pace,
        optimizers: Optimizers,
        say_unseen: Callable[[str, str], None],
        model: nn.Module | None,
    ) -> None:
        self._buffer, self._sites, self._optimizers, self._say = buffer, sites, optimizers, say_unseen
        self._names = Names(model)
        self._activations = ActivationProbe()
        self._gradients, self._time = GradientHooks(pace), TimeProbe()
        self._fed: dict[str, tuple[int, int, int]] = {}  # layer -> first feature site, features, batches read
        self._reached: dict[int, Tensor] = {}
        self._depth = 0
        self._called: set[int] = set()
        self._input_axes: dict[int, int] = {}
        self._module_of_node: dict[int, weakref.ref[nn.Module]] = {}
        self._matrices: set[str] = set()  # parameters that multiply the signal

    # --- forward: names only

    def root(self, module: nn.Module) -> None:
        """A module that gives names without having been seen called."""
        self._names.root(module)

    def module_begins(self, module: nn.Module) -> bool:
        """A module called by no other module is a root: names come from it. Returns whether it is one."""
        self._depth += 1
        self._called.add(id(module))
        if self._depth == 1:
            self._names.root(module, sys._getframe(1))
        return self._depth == 1

    def root_name(self, module: nn.Module) -> str | None:
        """The name of a root; None for another module."""
        return self._names.root_name(module)

    def input_axis(self, p: Tensor) -> int | None:
        """The axis of a weight that runs over its inputs, where this step's graph has it as a layer's weight."""
        return self._input_axes.get(id(p))

    def gates(self, p: Tensor) -> int:
        """How many weights of one kind lie one above the other in this: 4 for an LSTM's gates, mostly 1."""
        holder = self._names.holder(p)
        size = holder.hidden_size if isinstance(holder, (nn.RNNBase, nn.RNNCellBase)) else p.shape[0]
        return max(p.shape[0] // size, 1) if isinstance(size, int) and size > 0 else 1

    def momentum(self, p: Tensor) -> float | None:
        """The share of each batch in the running estimates of the batch norm that a parameter belongs to."""
        holder = self._names.holder(p)
        value = getattr(holder, "momentum", None) if isinstance(holder, _BatchNorm) else None
        return float(value) if isinstance(value, (int, float)) else None

    def was_called(self, p: Tensor) -> bool:
        """Whether the module that holds this parameter was called in this step."""
        holder = self._names.holder(p)
        return holder is not None and id(holder) in self._called

    def module_ends(self, module: nn.Module, output: Any) -> None:
        """Remember which module made a node, by the node's number: a reference would keep activations alive."""
        self._depth = max(self._depth - 1, 0)
        first = output[0] if isinstance(output, (tuple, list)) and output else output
        if isinstance(first, Tensor) and first.grad_fn is not None:
            self._module_of_node.setdefault(sequence_number(first.grad_fn), weakref.ref(module))

    def forget(self) -> None:
        """A step is over."""
        self._depth = 0
        self._called.clear()
        self._input_axes.clear()
        self._module_of_node.clear()
        self._reached = {}

    # --- backward

    def survey(self, step: int, roots: list[Tensor], frame: FrameType | None) -> None:
        """Read everything that the graph shows before the backward frees it, and hook the layers' gradients."""
        found = self._walk(roots, frame)
        calls: dict[int, list[Layer]] = defaultdict(list)
        for order, layer in enumerate(found.layers):
            calls[self._layer_site(layer, order)].append(layer)
            if (axis := input_axis(layer)) is not None:
                self._input_axes[id(main_parameter(layer))] = axis
        for site, group in calls.items():
            for layer in spaced(group, MAX_READS):
                forward_scale(self._buffer, step, site, layer)
                if layer.entry and layer.op in FED:
                    self._read_features(step, layer)
            if group[0].op == "batch_norm":
                read_batch_norm(self._buffer, step, site, group[0])
            self._time.read(self._buffer, step, site, group[0])
        self._read_activations(step, found)
        self._read_objectives(step, roots, frame)
        self._gradients.attach(calls)
        # In execution order, not in that of the walk: the record and the report list them so.
        self._reached |= {id(p): p for layer in found.layers for p in layer.params} | found.params
        self._report_blindness(found)

    def _walk(self, roots: list[Tensor], frame: FrameType | None) -> Survey:
        found = survey(roots, self._is_parameter)
        found.layers.sort(key=lambda layer: sequence_number(layer.node))
        self._names.resolve(frame, found.params)
        return found

    def _is_parameter(self, leaf: Tensor) -> bool:
        return self._optimizers.holds(leaf) or isinstance(leaf, nn.Parameter) or self._optimizers.none_alive()

    def end(self, step: int, factor: Tensor | None) -> list[tuple[int, Tensor]]:
        """The backward is done: keep the layers' gradients; returns the parameters that it reached."""
        self._gradients.collect(self._buffer, step, factor)
        return self.place(list(self._reached.values()))

    # --- sites

    def _layer_name(self, layer: Layer) -> str:
        return self._names.layer_of(main_parameter(layer)) or "?"

    def _layer_site(self, layer: Layer, order: int) -> int:
        main = main_parameter(layer)
        name = self._layer_name(layer)
        site = self._sites.find("layer", f"{name}|{layer.op}")
        if site is not None:
            return site
        if layer.op in WEIGHT_OPS:
            self._matrices.add(self._names.param(main) or "")
        tied = any(self._sites.find("layer", f"{name}|{op}") is not None for op in ("embedding", "linear", "other"))
        return self._sites.index(
            "layer",
            f"{name}|{layer.op}",
            f"{name} ({layer.op})" if tied else name,
            op=layer.op,
            order=order,
            depth=layer.depth,
            entry=layer.entry,
            root=self._names.root_of(main),
            weight=self._names.param(main),
            fan_in=fan_in(layer),
            momentum=self.momentum(main),
        )

    def _read_activations(self, step: int, found: Survey) -> None:
        groups: dict[tuple[str, str, str], list[Activation]] = defaultdict(list)
        for activation in found.activations:
            after = "the input" if activation.after is None else self._layer_name(activation.after)
            groups[activation.fn, after, activation.role].append(activation)
        modules = [self._module_of(a) for a in found.activations]
        for (fn, after, role), group in groups.items():
            module = self._module_of(group[0])
            own = module is not None and modules.count(module) == len(group) and module != after
            site = self._sites.index(
                "activation",
                f"{fn}|{after}|{role}",
                module if own else f"{fn} after {_RECURRENT.sub('', after)}",
                fn=fn,
                after=after,
                role=role,
                depth=group[0].depth,
                order=found.activations.index(group[0]),
            )
            for activation in spaced(group, MAX_READS):
                self._activations.read(self._buffer, step, site, activation)

    def _read_objectives(self, step: int, roots: list[Tensor], frame: FrameType | None) -> None:
        line = line_of(frame)
        for place, objective in enumerate(objectives(roots)[:MAX_OBJECTIVES]):
            site = self._sites.index(
                "objective",
                f"{line}|{place}|{objective.kind}|{objective.form}",
                f"{objective.kind} at {line}",
                compares=objective.kind,
                classes=objective.classes,
                columns=objective.columns,
                line=line,
                form=objective.form,
                detail=objective.detail,
            )
            read_objective(self._buffer, step, site, objective)

    def _module_of(self, activation: Activation) -> str | None:
        reference = self._module_of_node.get(sequence_number(activation.node))
        module = None if reference is None else reference()
        return None if module is None else self._names.module(module)

    def _read_features(self, step: int, layer: Layer) -> None:
        name = self._layer_name(layer)
        first, features, batches = self._fed.get(name, (-1, 0, 0))
        if batches >= FIRST_BATCHES:
            return
        if first < 0:
            data = feature_rows(layer)
            if data is None:
                return
            features = min(data.shape[1], MAX_FEATURES)
            places = [
                self._sites.index("feature", f"{name}|{i}", f"{name} input {i}", input=name, index=i, op=layer.op)
                for i in range(features)
            ]
            first = places[0]
        read_features(self._buffer, step, first, layer, features)
        self._fed[name] = (first, features, batches + 1)

    def place(self, params: list[Tensor]) -> list[tuple[int, Tensor]]:
        """Parameters with their sites."""
        placed: list[tuple[int, Tensor]] = []
        for p in params:
            name = self._names.param(p)
            if name is None:
                self._names.resolve(None, {id(p): p})
                name = self._names.param(p) or "?"
            layer = self._names.layer_of(p)
            site = self._sites.index(
                "parameter",
                name,
                layer=layer,
                role="weight"
                if p.dim() >= 2 or name in self._matrices
                else "bias"
                if name.endswith("bias")
                else "scale",
                numel=p.numel(),
                module=self._names.holder(p) is not None,
                dtype=str(p.dtype).removeprefix("torch."),
                optimizer=self._optimizers.of(p),
            )
            placed.append((site, p))
        return placed

    # --- programs without backward

    def returned_gradients(self, step: int, placed: list[tuple[int, Tensor]], gradients: Any) -> None:
        """Gradients that were returned rather than accumulated."""
        for (site, _), gradient in zip(placed, gradients, strict=False):
            if isinstance(gradient, Tensor) and gradient.numel():
                norm = torch.linalg.vector_norm(gradient.detach().float())
                self._buffer.put(step, GRAD_RMS, site, norm, scale=gradient.numel() ** -0.5)

    # --- what goes wrong, what is not seen

    def first_nonfinite(self, step: int, root: Tensor, frame: FrameType | None, line: str) -> Event:
        """Where the NaN or Inf in this loss came from, read from its graph."""
        found = self._walk([root], frame)
        origin = find_origin(found, found.nodes)
        layer = None if origin.layer is None else self._layer_name(origin.layer)
        param = None if origin.param is None else self._names.param(origin.param)
        data = {"phase": origin.phase, "operation": origin.operation, "layer": layer, "parameter": param}
        loss = "NaN" if bool(torch.isnan(root).any()) else "Inf"
        return Event(step, "first-nonfinite", {**data, "value": origin.value, "line": line, "loss": loss})

    def _report_blindness(self, found: Survey) -> None:
        for name in found.opaque:
            if name.startswith("Compiled"):
                self._say("compiled", "the inside of a compiled model: only its parameters and gradients are seen")
            else:
                self._say("checkpoint", "the inside of reentrant activation checkpoints")
        if not found.complete:
            self._say("large", "part of a very large autograd graph")
