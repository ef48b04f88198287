"""Names for what the graph shows: modules and parameters by `named_modules`, the rest by the script's own variables."""

from __future__ import annotations

import os
import sys
import weakref
from collections.abc import Iterator, Mapping
from itertools import chain, count
from types import CodeType, FrameType
from typing import Any

import torch
from torch import nn

from trimtab.watching.wrappers import as_written, unwrapped

_HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_EXAMPLES = os.path.join(_HERE, "examples", "scripts")  # scripts like a user's, though they are shipped with us
_TORCH = os.path.dirname(os.path.abspath(torch.__file__))
_OPTIMIZED = 0x1  # CO_OPTIMIZED: the frame is a function's
_UNSHARED = 3  # references to a snapshot that nobody holds: the frame's, our variable's, the call's that counts them
_LIBRARY = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}", os.path.dirname(os.__file__) + os.sep)


_SKIP, _PACKAGE, _SCRIPT = range(3)
_standing: dict[CodeType, int] = {}


def caller(frame: FrameType | None) -> FrameType | None:
    """The frame of the script that led here: the nearest outside torch, trimtab and installed packages.

    Failing that, the nearest outside torch. Called at every backward, so what is known of a code object is kept.
    """
    fallback: FrameType | None = None
    while frame is not None:
        standing = _standing_of(frame.f_code)
        if standing == _SCRIPT:
            return frame
        if standing == _PACKAGE:
            fallback = fallback or frame
        frame = frame.f_back
    return fallback


def of_script(code: CodeType) -> bool:
    """Whether this is code of the script, or of modules beside it."""
    return _standing_of(code) == _SCRIPT


def _standing_of(code: CodeType) -> int:
    standing = _standing.get(code)
    if standing is None:
        standing = _standing[code] = _stand(code.co_filename)
    return standing


def _stand(file: str) -> int:
    if file.startswith("<"):  # made at run time: by the user's prompt, or by import machinery and code generators
        return _SCRIPT if file.startswith(("<stdin>", "<string>", "<ipython")) else _SKIP
    if file.startswith(_EXAMPLES):
        return _SCRIPT
    if file.startswith((_HERE, _TORCH)):
        return _SKIP
    return _PACKAGE if any(part in file for part in _LIBRARY) else _SCRIPT


def line_of(frame: FrameType | None) -> str:
    """Where a frame stands: "train.py:57"."""
    return "?" if frame is None else f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}"


def _variables(frame: FrameType | None) -> Iterator[tuple[str, Any]]:
    """Variables of the script's frames, innermost first, each with its name; attributes of `self` by their own."""
    seen: set[int] = set()
    while frame is not None:
        if _stand(frame.f_code.co_filename) != _SKIP:
            for space in (frame.f_locals, frame.f_globals):
                if id(space) in seen:
                    continue
                seen.add(id(space))
                yield from list(space.items())
            _release(frame)
        frame = frame.f_back


def _release(frame: FrameType) -> None:
    """Empty the snapshot that reading `f_locals` leaves on a frame of a function: it keeps the script's tensors alive.

    Where the script has called `locals()` there the snapshot is the dict that it was given: that one is left alone.
    """
    if sys.version_info < (3, 13) and frame.f_code.co_flags & _OPTIMIZED:
        snapshot = frame.f_locals
        if sys.getrefcount(snapshot) <= _UNSHARED:
            snapshot.clear()


def _inside(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """A variable itself, the items of a list, tuple or dict, and the attributes of an object, two levels deep."""
    yield name, value
    if isinstance(value, (list, tuple)) and len(value) <= 1000:
        yield from ((f"{name}[{i}]", item) for i, item in enumerate(value))
    elif isinstance(value, dict) and len(value) <= 1000:
        yield from ((f"{name}[{key!r}]", item) for key, item in list(value.items()))
    else:
        space = getattr(type(value), "__dict__", None) and getattr(value, "__dict__", None)
        if isinstance(space, dict) and not isinstance(value, type(sys)):
            prefix = "" if name == "self" else f"{name}."
            for key, item in list(space.items()):
                yield f"{prefix}{key}", item
                if isinstance(item, (list, tuple)) and len(item) <= 1000:
                    yield from ((f"{prefix}{key}[{i}]", each) for i, each in enumerate(item))


def _owner(module: nn.Module, frame: FrameType | None) -> tuple[nn.Module, str] | None:
    """The outermost module of which a method is calling this one, and the path from there.

    A LightningModule is never called itself: its `training_step` calls what it is made of.
    """
    found: tuple[nn.Module, str] | None = None
    while frame is not None:
        if frame.f_code.co_argcount and frame.f_code.co_varnames[0] == "self":
            owner = frame.f_locals.get("self")
            _release(frame)
            if isinstance(owner, nn.Module) and owner is not module:
                path = next((path for path, part in owner.named_modules() if part is module), None)
                found = (owner, path) if path is not None else found
        frame = frame.f_back
    return found


class Names:
    """Names of modules, parameters and optimizers of a running script. Holds weak references only."""

    def __init__(self, model: nn.Module | None = None) -> None:
        self._roots: weakref.WeakSet[nn.Module] = weakref.WeakSet()
        self._owners: weakref.WeakSet[nn.Module] = weakref.WeakSet()
        self._pending: list[tuple[weakref.ref[nn.Module], str]] = []
        self._params: dict[int, tuple[weakref.ref[torch.Tensor], str, str, str]] = {}
        self._modules: weakref.WeakKeyDictionary[nn.Module, str] = weakref.WeakKeyDictionary()
        self._holders: dict[int, weakref.ref[nn.Module]] = {}
        self._variables: dict[int, str] = {}
        self._given = model is not None
        self._taken: set[str] = set()
        if model is not None:
            self._enter(model, "")

    def root(self, module: nn.Module, frame: FrameType | None = None) -> None:
        """A module was called that no other module called: its parts get their names at the next `resolve`.

        `frame` is one from which it was called.
        """
        if module in self._roots or module in self._modules:
            return
        self._roots.add(module)
        owner = _owner(module, frame)
        self._pending.append((weakref.ref(module), "" if owner is None else owner[1]))
        if owner is not None:
            self._owners.add(owner[0])

    def resolve(self, frame: FrameType | None, leaves: Mapping[int, torch.Tensor]) -> None:
        """Name new roots and leaves; variables of the script are looked up only where something is unnamed."""
        pending = [(reference(), path) for reference, path in self._pending]
        roots = [(m, path) for m, path in pending if m is not None and next(m.parameters(), None) is not None]
        self._pending.clear()
        if len(roots) == 1 and not self._modules and not self._is_leaf(roots[0][0]) and self._alone(frame, roots[0][0]):
            self._enter(*roots.pop(), alone=True)
        if roots:
            called = self._called(frame, {id(root): root for root, path in roots if not path})
            for root, path in roots:
                self._enter(root, self._free(path or called.get(id(root), type(root).__name__)))
        nameless = {i: leaf for i, leaf in leaves.items() if self.param(leaf) is None}
        if nameless:
            self._adopt(frame, nameless)
            nameless = {i: leaf for i, leaf in nameless.items() if self.param(leaf) is None}
        if nameless:
            self._name_leaves(nameless, self._called(frame, nameless))

    def _name_leaves(self, leaves: Mapping[int, torch.Tensor], called: Mapping[int, str]) -> None:
        """Name tensors by their variables. A program that makes new weights at each step keeps the same names."""
        used: set[str] = set()
        for i, leaf in leaves.items():
            shape = "x".join(map(str, leaf.shape)) or "scalar"
            base = called.get(i, f"tensor[{shape}]")
            name = next(n for n in chain([base], (f"{base}#{k}" for k in count(2))) if n not in used)
            used.add(name)
            in_module = i in called and name.endswith((".weight", ".bias"))
            self._params[i] = (weakref.ref(leaf), name, name.rsplit(".", 1)[0] if in_module else name, "")

    @staticmethod
    def _alone(frame: FrameType | None, root: nn.Module) -> bool:
        """Whether the script has no other model (a GAN's second one may not have been called yet)."""
        inside = set(root.modules())
        others = (value for _, value in _variables(frame) if isinstance(value, nn.Module) and value not in inside)
        return all(next(other.parameters(), None) is None or root in set(other.modules()) for other in others)

    def _adopt(self, frame: FrameType | None, nameless: Mapping[int, torch.Tensor]) -> None:
        """Variables that are modules with nameless parameters, and were not seen called, are roots too.

        So much the more are modules whose parts were seen called.
        """
        for path, module in (each for owner in self._owners for each in owner.named_modules()):
            if any(id(p) in nameless for p in module.parameters(recurse=False)):
                self._name_parameters(module, path, path, "")
        for name, value in _variables(frame):
            if not isinstance(value, nn.Module) or value in self._roots:
                continue
            if any(id(p) in nameless and nameless[id(p)] is p for p in value.parameters()):
                self._enter(value, "" if not self._modules and not self._is_leaf(value) else self._free(name))

    def _called(self, frame: FrameType | None, wanted: Mapping[int, Any]) -> dict[int, str]:
        """What the script calls the wanted objects, by id; looked for until all are found."""
        called: dict[int, str] = {}
        for name, value in _variables(frame):
            known = isinstance(value, nn.Module) and value in self._roots
            for path, item in _inside(name, value):
                if path.startswith("_"):
                    continue
                path = path.removeprefix(f"{name}.") if known else path
                if id(item) in wanted and wanted[id(item)] is item:
                    called.setdefault(id(item), path)
                elif isinstance(item, nn.Module) and item is not value:
                    for own, p in item.named_parameters():
                        if id(p) in wanted and wanted[id(p)] is p:
                            called.setdefault(id(p), f"{path}.{own}")
            if len(called) == len(wanted):
                break
        return called

    def _enter(self, root: nn.Module, prefix: str, alone: bool = False) -> None:
        self._roots.add(root)
        # Layers kept in a plain list are roots each; together they are one model.
        group = "" if alone or self._is_leaf(root) else prefix
        for path, module in root.named_modules():
            path = as_written(path, root)
            full = ".".join(part for part in (prefix, path) if part) or type(unwrapped(root)).__name__
            if module in self._modules:
                continue
            self._modules[module] = full
            self._name_parameters(module, ".".join(part for part in (prefix, path) if part), full, group)

    def _name_parameters(self, module: nn.Module, path: str, layer: str, group: str) -> None:
        """Name the parameters that a module holds itself, unless they have names already."""
        own = dict(module.named_parameters(recurse=False))
        weights = [name for name, p in own.items() if p.dim() >= 2]
        for name, p in own.items():
            joined = f"{path}.{name}" if path else name
            # One weight in a module: the layer bears the module's name; several (nn.LSTM): each bears its own.
            sole = len(weights) <= 1 or name not in weights
            self._params.setdefault(id(p), (weakref.ref(p), joined, layer if sole and layer else joined, group))
            self._holders.setdefault(id(p), weakref.ref(module))

    def _free(self, name: str) -> str:
        """The name, or the name with a number when it is taken."""
        number, candidate = 2, name
        while candidate in self._taken:
            candidate, number = f"{name}#{number}", number + 1
        self._taken.add(candidate)
        return candidate

    @staticmethod
    def _is_leaf(module: nn.Module) -> bool:
        return next(module.children(), None) is None

    def param(self, tensor: torch.Tensor) -> str | None:
        """The name of a parameter: `layers.0.weight`; None when it is unknown."""
        entry = self._params.get(id(tensor))
        return entry[1] if entry is not None and entry[0]() is tensor else None

    def holder(self, tensor: torch.Tensor) -> nn.Module | None:
        """The module whose parameter this is."""
        reference = self._holders.get(id(tensor)) if self.param(tensor) is not None else None
        return None if reference is None else reference()

    def layer_of(self, tensor: torch.Tensor) -> str | None:
        """The name of the layer that a parameter belongs to: `layers.0`."""
        entry = self._params.get(id(tensor))
        return entry[2] if entry is not None and entry[0]() is tensor else None

    def root_of(self, tensor: torch.Tensor) -> str:
        """The model that a parameter belongs to; empty where there is one only, or none."""
        entry = self._params.get(id(tensor))
        return entry[3] if entry is not None and entry[0]() is tensor else ""

    def root_name(self, module: nn.Module) -> str | None:
        """The name of a model that was called from no other module; None for anything else."""
        return self._modules.get(module) if module in self._roots else None

    def module(self, module: nn.Module) -> str | None:
        """The name of a module: `layers.0`; None when it is unknown."""
        return self._modules.get(module)
