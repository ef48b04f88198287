"""`trimtab info`: what trimtab found on this machine, and on what its components therefore run."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from trimtab.cli.parser import Parser
from trimtab.cli.publishing import next_command
from trimtab.version import __version__


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    Parser("trimtab info", "Show versions, devices, and whether the native core is in use.").options(arguments)
    facts = {
        "trimtab": __version__,
        "python": f"{platform.python_version()} on {platform.system()} {platform.machine()}",
        **_of_torch(),
        "triton": _installed("triton"),
    }
    room = max(map(len, facts)) + 2
    for name, fact in facts.items():
        print(f"{name:<{room}}{fact}")
    print(next_command("demo"))
    return 0


def _of_torch() -> dict[str, str]:
    """What only torch can tell, or why it cannot."""
    try:
        import torch
    except ImportError as error:
        return {"torch": f"cannot be imported: {error}"}
    from trimtab.kernels import native

    cards = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    core = f"in use ({native.isa()})" if native.available() else f"not in use, torch instead: {native.why_not()}"
    return {
        "torch": f"{torch.__version__}, {torch.get_num_threads()} threads",
        "gpu": ", ".join(cards) or "none that torch can use",
        "native core": core,
    }


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
