"""Draws all pictures anew, or those named: `python -m docs.pictures [name …]`."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import vl_convert

from docs.pictures.slim import slim
from docs.pictures.style import styled

PAGES = Path(__file__).parent.parent / "methods"
NAMES = ("averages", "clipping", "data", "descent", "initialisation", "normalisation")


def svg(name: str) -> str:
    """One picture as SVG text."""
    chart = styled(import_module(f"docs.pictures.{name}").chart())
    return slim(vl_convert.vegalite_to_svg(chart.to_json()))


def main(names: list[str]) -> None:
    """Writes the pictures beside the pages that show them."""
    for name in names or NAMES:
        path = PAGES / f"{name}.svg"
        path.write_text(svg(name), encoding="utf-8")
        print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main(sys.argv[1:])
