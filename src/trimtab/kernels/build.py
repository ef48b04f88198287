"""Builds the native core: `python -m trimtab.kernels.build`, and setup.py when the package is installed.

A C++17 compiler is all that it takes: `$CXX`, else `c++`. The library has a plain C interface and is linked with
neither Python nor torch, so that one serves every version of both. Only the standard library is imported here, as
setup.py runs this file before there is anything else.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCES = HERE / "native"
LIBRARY = HERE / "_core.so"
# NaN and Inf must come out as they go in: no -ffast-math. Sums are reordered only where the source has lanes for it.
FLAGS = ("-O3", "-std=c++17", "-fPIC", "-shared", "-pthread", "-fvisibility=hidden", "-fopenmp-simd")
NUMERICS = ("-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast")


class BuildError(Exception):
    """The compiler is missing or refuses; the message says which, in one line."""


def build(library: Path = LIBRARY, flags: tuple[str, ...] = ()) -> Path:
    """Compiles all sources into `library`, which is replaced only by one that was built whole.

    Raises:
        BuildError: there is no compiler, or it fails.
    """
    library.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=library.parent) as folder:
        objects = _compiled(Path(folder), (*NUMERICS, f'-DTRIMTAB_DIGEST="{digest()}"', *flags))
        fresh = Path(folder) / library.name
        _end([_begin([*FLAGS, *flags, *map(str, objects), "-o", str(fresh)])])
        os.replace(fresh, library)
    return library


def digest() -> str:
    """A short name of the sources as they are now: a library that was built of others is not to be loaded."""
    content = hashlib.sha256()
    for source in sorted(SOURCES.glob("*.*")):
        content.update(source.name.encode() + b"\0" + source.read_bytes())
    return content.hexdigest()[:16]


def _compiled(folder: Path, flags: tuple[str, ...]) -> list[Path]:
    """All at once: each takes seconds."""
    objects = {source: folder / f"{source.stem}.o" for source in sorted(SOURCES.glob("*.cpp"))}
    _end([_begin([*FLAGS, *flags, "-c", str(source), "-o", str(o)]) for source, o in objects.items()])
    return list(objects.values())


def _begin(arguments: list[str]) -> subprocess.Popen[str]:
    command = [*shlex.split(os.environ.get("CXX", "c++")), *arguments]
    try:
        return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    except OSError as error:
        raise BuildError(f"no C++ compiler: {command[0]}: {error.strerror}; install one, or name it in CXX") from None


def _end(processes: list[subprocess.Popen[str]]) -> None:
    complaints = [process.communicate()[1] for process in processes]
    for process, complaint in zip(processes, complaints, strict=True):
        if process.returncode:
            lines = complaint.strip().splitlines() or [f"exit {process.returncode}"]
            raise BuildError(f"the C++ compiler failed: {next((x for x in lines if 'error' in x), lines[-1])}")


def main() -> None:
    """Builds in place, or where `--output` says; further arguments go to the compiler."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--output", type=Path, default=LIBRARY, help="the library to write (default: in the package)")
    args, flags = parser.parse_known_args()
    try:
        print(build(args.output.resolve(), tuple(flags)))
    except BuildError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
