"""The font of the formulas: browsers bring none on some systems, and without one roots and fractions fall apart."""

from __future__ import annotations

from importlib.resources import files
from io import BytesIO

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

NAME = "assets/formulas.woff"
SHOWN = [
    *range(0x20, 0x7F),
    *range(0x300, 0x340),  # accents
    *range(0x391, 0x3F6),
    *range(0x2010, 0x2040),
    0x210E,  # h in italics
    *range(0x2190, 0x2194),
    *range(0x2200, 0x22F0),
    *range(0x1D434, 0x1D468),
    *range(0x1D6E2, 0x1D71C),
]


def woff() -> bytes:
    """STIX Two Math, as `ziamath` carries it under the SIL Open Font License, without what no formula here uses."""
    source = files("ziamath") / "fonts" / "STIXTwoMath-Regular.ttf"
    font = TTFont(BytesIO(source.read_bytes()), lazy=True)
    options = Options(
        name_IDs=["*"], layout_features=["ssty", "dtls", "flac", "kern"], flavor="woff", notdef_outline=True
    )
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=SHOWN)
    subsetter.subset(font)
    font.flavor = "woff"
    small = BytesIO()
    font.save(small)
    return small.getvalue()
