"""A program as python would run it: found and compiled beforehand, then run as a fresh `__main__`."""

from __future__ import annotations

import os
import pkgutil
import runpy
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.machinery import SourceFileLoader, SourcelessFileLoader
from importlib.util import MAGIC_NUMBER
from types import CodeType, ModuleType

from trimtab.core.errors import TrimtabError

# What `python -m` and `python folder` run, frames in the traceback included; it has no public name.
_run_main: Callable[..., None] = vars(runpy)["_run_module_as_main"]


@dataclass(frozen=True, slots=True)
class Program:
    """What python needs to know to run a program.

    `words` are the program and its arguments as they stand on a command line after `python`. `folder` is what python
    puts at the front of `sys.path`; `forced` says that it does so even in safe-path mode. `own_file` says that python
    sets `__file__` for this run alone, and takes it away when the program has ended. `file` is the path of a script.
    """

    name: str
    words: tuple[str, ...]
    argv: tuple[str, ...]
    folder: str
    body: Callable[[], None]
    forced: bool = False
    own_file: bool = False
    file: str | None = None

    @property
    def stem(self) -> str:
        """The name for files that belong to a run of this program."""
        base = os.path.basename(os.path.abspath(self.name.removeprefix("-m ")))
        return base.removesuffix(".py") or "run"


def prepare(words: Sequence[str]) -> Program:
    """The program that `python *words` would run; raises TrimtabError where there is none."""
    if words[0].startswith("-m"):
        return _module(list(words))
    path = os.path.join(os.getcwd(), words[0].removeprefix("./") if os.name == "nt" else words[0])
    if not os.path.exists(path):
        raise TrimtabError(f"cannot run {words[0]!r}: no such file in {os.getcwd()}; give a script, or -m and a module")
    if pkgutil.get_importer(path) is not None:
        body = partial(_run_main, "__main__", False)
        return Program(words[0], tuple(words), tuple(words), path, body, forced=True)
    folder = os.path.dirname(os.path.realpath(path))
    body = partial(_run_file, _compiled(path, words[0]), path)
    return Program(words[0], tuple(words), tuple(words), folder, body, own_file=True, file=path)


def enter(program: Program) -> None:
    """Make this interpreter look as if it had been started with this program."""
    # Python itself decides which of these names a `__main__` has; our own has them from this very interpreter.
    ours = vars(sys.modules["__main__"])
    main = ModuleType("__main__")
    if "__annotations__" in ours:
        main.__annotations__ = {}
    vars(main)["__builtins__"] = sys.modules["builtins"]
    if program.own_file:
        vars(main).update({name: None for name in ("__file__", "__cached__") if name in ours})
    sys.modules["__main__"] = main
    before_us = sys.orig_argv[: len(sys.orig_argv) - len(sys.argv)]
    if before_us[-1:] == ["-m"]:
        before_us.pop()
    sys.orig_argv = [*(before_us or [sys.executable]), *program.words]
    sys.argv = list(program.argv)
    if not _is_safe_path():
        sys.path[0] = program.folder
    elif program.forced:
        sys.path.insert(0, program.folder)


def leave(program: Program) -> None:
    """Do what python does to `__main__` when a program has ended other than by `sys.exit`."""
    if program.own_file:
        for name in ("__file__", "__cached__"):
            vars(sys.modules["__main__"]).pop(name, None)


def _module(words: list[str]) -> Program:
    attached = words[0][2:]
    name, arguments = (attached, words[1:]) if attached else (words[1] if len(words) > 1 else "", words[2:])
    if not name:
        raise TrimtabError("-m needs the name of a module; `trimtab run --help` shows how")
    # runpy puts the module's file in the place of the "-m" once it has found it, as it does for python.
    body = partial(_run_main, name)
    return Program(f"-m {name}", tuple(words), ("-m", *arguments), os.getcwd(), body)


def _compiled(path: str, name: str) -> CodeType:
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise TrimtabError(f"cannot read {name}: {error.strerror}") from error
    if _is_bytecode(path, data[:4]):
        try:
            code = SourcelessFileLoader("__main__", path).get_code("__main__")
        except (ImportError, EOFError, ValueError) as error:
            raise TrimtabError(f"cannot run {name}: it is not bytecode of this Python ({error})") from error
        assert code is not None
        return code
    try:
        return compile(data, path, "exec", dont_inherit=True)
    except SyntaxError as error:
        where = f" line {error.lineno}" if error.lineno else ""
        raise TrimtabError(f"{name} is not a Python script:{where} {error.msg}; nothing was run") from error
    except ValueError as error:
        raise TrimtabError(f"{name} is not a Python script: {error}; nothing was run") from error


def _is_bytecode(path: str, magic: bytes) -> bool:
    return path.endswith(".pyc") or magic == MAGIC_NUMBER


def _run_file(code: CodeType, path: str) -> None:
    main = sys.modules["__main__"]
    main.__file__ = path
    loader = SourcelessFileLoader if path.endswith(".pyc") else SourceFileLoader
    main.__loader__ = loader("__main__", path)
    exec(code, vars(main))


def _is_safe_path() -> bool:
    return bool(getattr(sys.flags, "safe_path", sys.flags.isolated))
