"""Tracebacks as python would print them: without our frames, and without those that our hooks make torch add."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import CodeType, FrameType, TracebackType
from typing import Any

_OURS = ("trimtab.cli", "trimtab.watching", "trimtab.record")
_IMPORT_SYSTEM = ("importlib._bootstrap", "importlib._bootstrap_external", "zipimport", "pkgutil")


def show(error: BaseException) -> None:
    """Report an uncaught exception as the interpreter does, through the program's own excepthook where it has one.

    Raises SystemExit where that hook does.
    """
    if isinstance(error, SystemExit):
        print(error.code, file=sys.stderr)
        return
    clean(error)
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, error.__traceback__
    if sys.version_info >= (3, 12):
        sys.last_exc = error
    try:
        sys.excepthook(type(error), error, error.__traceback__)
    except SystemExit:
        raise
    except BaseException as second:
        clean(second)
        print("Error in sys.excepthook:", file=sys.stderr)
        sys.__excepthook__(type(second), second, second.__traceback__)
        print("\nOriginal exception was:", file=sys.stderr)
        sys.__excepthook__(type(error), error, error.__traceback__)


def clean(error: BaseException) -> None:
    """Relink the tracebacks of an exception and of all that it carries: cause, context and group members."""
    for each in _family(error):
        each.__traceback__ = _relinked(_as_unwatched(_without_ours(each.__traceback__)))


def innermost(error: BaseException) -> str | None:
    """The name of the module that raised, the import system left aside."""
    names = [entry.tb_frame.f_globals.get("__name__") for entry in _entries(error.__traceback__)]
    return next((name for name in reversed(names) if name not in _IMPORT_SYSTEM), None)


def _entries(traceback: TracebackType | None) -> Iterator[TracebackType]:
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def _family(error: BaseException) -> Iterator[BaseException]:
    waiting, seen = [error], set[int]()
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        members = getattr(each, "exceptions", ())
        related = [each.__cause__, each.__context__, *(members if isinstance(members, tuple) else ())]
        waiting += [other for other in related if isinstance(other, BaseException)]


def _without_ours(traceback: TracebackType | None) -> list[TracebackType]:
    kept: list[TracebackType] = []
    for entry in _entries(traceback):
        if not _is_ours(entry.tb_frame):
            kept.append(entry)
            continue
        # Python hides the import system's frames only where nothing stands between them.
        while kept and kept[-1].tb_frame.f_globals.get("__name__") in _IMPORT_SYSTEM:
            kept.pop()
    return kept


def _is_ours(frame: FrameType) -> bool:
    name = frame.f_globals.get("__name__")
    return isinstance(name, str) and (name in _OURS or name.startswith(tuple(f"{package}." for package in _OURS)))


def _as_unwatched(entries: list[TracebackType]) -> list[TracebackType]:
    """Undo the detour of `Module.__call__`: with any hook set, it calls `forward` from an inner function."""
    plain: list[TracebackType] = []
    for entry in entries:
        before = plain[-1].tb_frame if plain else None
        if before is not None and _is_detour(before, entry.tb_frame) and not _has_hooks(before.f_locals.get("self")):
            place = _direct_call(before.f_code)
            if place is not None:
                plain[-1] = TracebackType(None, before, *place)
                continue
        plain.append(entry)
    return plain


def _is_detour(outer: FrameType, inner: FrameType) -> bool:
    return (
        inner.f_code.co_name == "inner"
        and outer.f_code.co_name == "_call_impl"
        and outer.f_globals.get("__name__") == inner.f_globals.get("__name__") == "torch.nn.modules.module"
    )


def _has_hooks(module: Any) -> bool:
    """Whether the program has hooks of its own that send this call the same way."""
    torch_module = vars(sys.modules["torch.nn.modules.module"])
    names = ("backward_pre_hooks", "backward_hooks", "forward_hooks", "forward_pre_hooks")
    theirs = (h for n in names for h in torch_module.get(f"_global_{n}", {}).values() if not _is_our_hook(h))
    return any(getattr(module, f"_{name}", None) for name in names) or any(True for _ in theirs)


def _is_our_hook(hook: Any) -> bool:
    return str(getattr(hook, "__module__", "")).startswith(_OURS)


def _direct_call(code: CodeType) -> tuple[int, int] | None:
    """Instruction and line of the first `forward_call(*args, **kwargs)`: the way without hooks stands first."""
    import dis

    line = code.co_firstlineno
    for instruction in dis.get_instructions(code):
        position = getattr(instruction, "positions", None)
        line = (position.lineno if position else instruction.starts_line) or line
        if instruction.opname == "CALL_FUNCTION_EX":
            return instruction.offset, line
    return None


def _relinked(entries: list[TracebackType]) -> TracebackType | None:
    after = None
    for entry in reversed(entries):
        entry.tb_next = after
        after = entry
    return after
