"""Builds the native core into the package. Everything else is in pyproject.toml."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext

CORE = "trimtab.kernels._core"
BUILD = runpy.run_path(str(Path(__file__).parent / "src/trimtab/kernels/build.py"))


class BuildCore(build_ext):
    """Compiles by the package's own command. Without a compiler the package still installs, and says so."""

    def build_extension(self, ext: Extension) -> None:
        try:
            BUILD["build"](Path(self.get_ext_fullpath(ext.name)).resolve())
        except BUILD["BuildError"] as error:
            print(f"trimtab: without the native core, on torch operations: {error}", file=sys.stderr)

    def get_ext_filename(self, fullname: str) -> str:
        return "/".join(fullname.split(".")) + ".so"  # a plain library: no name of a Python version


class WheelOfAnyPython(bdist_wheel):
    """The core depends on the platform, not on Python."""

    def get_tag(self) -> tuple[str, str, str]:
        return "py3", "none", super().get_tag()[2]


setup(
    ext_modules=[Extension(CORE, sources=[], optional=True)],  # optional: an install goes on without it
    cmdclass={"build_ext": BuildCore, "bdist_wheel": WheelOfAnyPython},
)
