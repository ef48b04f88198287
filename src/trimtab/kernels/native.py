"""The native core for the CPU: one library with a plain C interface, loaded at first use, absent where unbuilt.

`TRIMTAB_NATIVE=0` in the environment switches it off, `TRIMTAB_CORE=path` loads another library in its place (one
built for a sanitizer, say), `TRIMTAB_ISA=baseline|avx2|avx512` asks for an instruction set below the processor's.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from trimtab.kernels.build import LIBRARY, digest

INTEGER, REAL, ADDRESS = ctypes.c_int64, ctypes.c_double, ctypes.c_void_p
DTYPES = {torch.float32: 0, torch.float64: 1, torch.bfloat16: 2, torch.float16: 3}  # as in native/number.h
OPENMP = ("libgomp", "libomp", "libiomp")


def available() -> bool:
    """Whether the native core is there."""
    return _loaded()[0] is not None


def why_not() -> str:
    """Why the native core is not there, in one sentence; empty where it is."""
    return _loaded()[1]


def isa() -> str:
    """The instruction set that the kernels run on: "baseline", "avx2" or "avx512"."""
    return function("trimtab_isa", result=ctypes.c_char_p)().decode()


@cache
def chunk() -> int:
    """How many elements a thread takes at a time."""
    return function("trimtab_chunk", result=INTEGER)()


def threads() -> int:
    """How many threads a call may use: as many as torch's own operations."""
    return torch.get_num_threads()


def address(x: Tensor | None) -> int | None:
    """Where the first element is; None, the null pointer, for no tensor."""
    return None if x is None else x.data_ptr()


def library() -> ctypes.CDLL:
    """The core itself.

    Raises:
        RuntimeError: it is not there.
    """
    core, reason = _loaded()
    if core is None:
        raise RuntimeError(f"trimtab's native core is not there: {reason}")
    return core


def function(name: str, *arguments: type, result: type | None = None) -> Callable[..., Any]:
    """A function of the core by its C name; it runs without the GIL.

    Raises:
        RuntimeError: the core is not there.
    """
    found = library()[name]  # a new object at each look-up, so that these types are its own
    found.argtypes, found.restype = arguments, result
    return found


@cache
def _loaded() -> tuple[ctypes.CDLL | None, str]:
    """The library and an empty reason, or None and why."""
    if os.environ.get("TRIMTAB_NATIVE") == "0":
        return None, "TRIMTAB_NATIVE=0 switches it off"
    asked = os.environ.get("TRIMTAB_CORE")
    path = Path(asked) if asked else LIBRARY
    if asked and not path.exists():
        return None, f"{path} does not exist, which TRIMTAB_CORE names"
    if not path.exists():
        return None, f"{path.name} was not built: run python -m trimtab.kernels.build, which needs a C++ compiler"
    try:
        core = ctypes.CDLL(str(path))
    except OSError as error:
        return None, f"{path.name} cannot be loaded: {error}"
    if not asked and _digest_of(core) != digest():
        return None, f"{path.name} was built of other sources than these: run python -m trimtab.kernels.build again"
    join_team_of_torch(core)
    return core, ""


def _digest_of(core: ctypes.CDLL) -> str:
    core.trimtab_digest.restype = ctypes.c_char_p
    return core.trimtab_digest().decode()


def join_team_of_torch(core: ctypes.CDLL) -> None:
    """Lends the core the threads of torch's OpenMP: of two teams the idle one would spin against the busy one."""
    for path in _openmp_of_torch():
        try:
            runtime = ctypes.CDLL(path, mode=os.RTLD_NOW | os.RTLD_NOLOAD)
            launcher = ctypes.cast(runtime.GOMP_parallel, ADDRESS)
        except (OSError, AttributeError):
            continue
        core.trimtab_set_launcher.argtypes = [ADDRESS]
        core.trimtab_set_launcher(launcher)
        return


def _openmp_of_torch() -> list[str]:
    """OpenMP runtimes that are loaded, torch's own first."""
    mapped = Path("/proc/self/maps")
    lines = mapped.read_text().splitlines() if mapped.exists() else []
    paths = dict.fromkeys(line.partition("/")[2] for line in lines if "/" in line)
    loaded = [f"/{path}" for path in paths if path.rpartition("/")[2].startswith(OPENMP)]
    beside = [str(p) for name in OPENMP for p in Path(torch.__file__).parent.glob(f"lib/{name}*")]
    return sorted(loaded, key=lambda path: "torch" not in path) + [p for p in beside if p not in loaded]
