"""`trimtab info`: what trimtab found on this machine, and on what its components therefore run."""

from __future__ import annotations

import argparse
import json
import platform
import re
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Any

from trimtab.cli.configuration import settings_for
from trimtab.cli.parser import Parser, add_choice_of_file
from trimtab.cli.publishing import next_command
from trimtab.core.errors import TrimtabError
from trimtab.core.settings import Settings
from trimtab.version import __version__

ALWAYS = ("numpy", "triton")
EXTRA = re.compile(r"""(?P<package>[\w.-]+).*\bextra\s*==\s*['"](?!dev\b|docs\b)""")  # of those who use trimtab
UNIT = 1 << 30


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = parser().options(arguments)
    facts = {
        "trimtab": __version__,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        **_of_torch(),
        "packages": {name: _version(name) for name in (*ALWAYS, *_optional())},
        "configuration": _configuration(options),
    }
    if options.json:
        print(json.dumps(facts, indent=2))
        return 0
    lines = dict(_lines(facts))
    room = max(map(len, lines)) + 2
    for name, fact in lines.items():
        print(f"{name:<{room}}{fact}")
    print(next_command("demo"))
    return 0


def _of_torch() -> dict[str, Any]:
    """What only torch can tell, or why it cannot."""
    try:
        import torch
    except ImportError as error:
        return {"torch": None, "trouble": f"cannot be imported: {error}"}
    from trimtab.kernels import native
    from trimtab.kernels.triton import presence

    cards = [torch.cuda.get_device_properties(i) for i in range(torch.cuda.device_count())]
    core = native.available()
    return {
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "gpus": [{"name": card.name, "memory": card.total_memory} for card in cards],
        "native_core": {"isa": native.isa() if core else None, "why_not": native.why_not()},
        "triton_kernels": {"why_not": presence.why_not()},
    }


def _optional() -> list[str]:
    """The packages of trimtab's extras, as its metadata have them."""
    try:
        lines = requires("trimtab") or []
    except PackageNotFoundError:
        return []
    return sorted({found["package"] for line in lines if (found := EXTRA.match(line))})


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _configuration(options: argparse.Namespace) -> dict[str, Any]:
    try:
        settings = settings_for(options)
    except TrimtabError as error:
        return {"trouble": str(error)}
    return {
        "file": settings.source or None,
        "select": list(settings.select),
        "ignore": [ignore.code for ignore in settings.ignores if ignore.everywhere],
        "per-layer-ignores": _of_layers(settings),
        "fail-on": settings.fail_on,
        "budget": settings.budget,
        "plugins": list(settings.plugins),
    }


def _of_layers(settings: Settings) -> dict[str, list[str]]:
    layers = dict.fromkeys(ignore.layer for ignore in settings.ignores if ignore.layer)
    return {layer: [ignore.code for ignore in settings.ignores if ignore.layer == layer] for layer in layers}


def _lines(facts: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The facts in words, a line each."""
    yield "trimtab", facts["trimtab"]
    yield "python", f"{facts['python']} on {facts['platform']}"
    if facts["torch"] is None:
        yield "torch", facts["trouble"]
    else:
        yield "torch", f"{facts['torch']}, {facts['threads']} threads"
        cards = [f"{card['name']}, {card['memory'] / UNIT:.0f} GiB" for card in facts["gpus"]]
        yield "gpu", "; ".join(cards) or "none that torch can use"
        core, triton = facts["native_core"], facts["triton_kernels"]["why_not"]
        yield (
            "native core",
            f"in use ({core['isa']})" if core["isa"] else f"not in use, torch instead: {core['why_not']}",
        )
        yield "triton kernels", f"not in use, torch instead: {triton}" if triton else "in use"
    for package, found in facts["packages"].items():
        yield package, found or "not installed"
    settings = facts["configuration"]
    if "trouble" in settings:
        yield "configuration", settings["trouble"]
        return
    yield "configuration", settings["file"] or "no [tool.trimtab] in a pyproject.toml from here upward"
    for key in ("select", "ignore", "per-layer-ignores", "fail-on", "budget", "plugins") if settings["file"] else ():
        if settings[key]:
            yield f"  {key}", _words(settings[key])


def _words(value: object) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{_words(codes)} in {layer}" for layer, codes in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def parser() -> Parser:
    """The options of the command."""
    parser = Parser(
        "trimtab info",
        "Show versions, devices, which kernels are in use or why not, and the configuration that holds here.",
        examples=(
            ("trimtab info", "for people, and for a report of a bug"),
            ("trimtab info --json | jq .native_core.isa", "for a program; null: not in use"),
        ),
        further="trimtab demo tries all of it",
    )
    parser.add_argument("--json", action="store_true", help="the same as JSON")
    add_choice_of_file(parser)
    return parser
