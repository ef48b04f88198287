"""Draws all pictures of the lecture anew, or those named: `python -m docs.pictures [name …]`."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import vl_convert

from docs import moving
from docs.pictures.slim import slim
from docs.pictures.style import styled

PAGES = Path(__file__).parent.parent / "lecture"
STILL = (
    "descent",
    "averages",
    "momentum",
    "rmsprop",
    "adam",
    "data",
    "gradients",
    "clipping",
    "batch_norm",
    "layer_norm",
    "scaling",
    "initialisation",
)
NAMES = (*STILL, *(f"{name}-moving" for name in moving.NAMES))


def svg(name: str) -> str:
    """One picture as SVG text; of one that moves, where it begins."""
    is_moving = name.endswith("-moving")
    chart = moving.chart(name[:-7]) if is_moving else import_module(f"docs.pictures.{name}").chart()
    return slim(vl_convert.vegalite_to_svg(styled(chart).to_json()))


def main(names: list[str]) -> None:
    """Writes the pictures beside the pages that show them."""
    for name in names or NAMES:
        path = PAGES / f"{name}.svg"
        path.write_text(svg(name), encoding="utf-8")
        print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main(sys.argv[1:])
