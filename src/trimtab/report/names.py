"""Text that comes from the user's program is untrusted: make it printable and short before it is shown."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence


def clean(text: str, *, keep: str = "") -> str:
    """Text with every control, format and separator character written as its escape, except those in `keep`."""
    return "".join(c if c.isprintable() or c in keep else _visible(c) for c in text)


def _visible(character: str) -> str:
    if unicodedata.category(character) == "Zs":
        return " "
    return character.encode("unicode_escape").decode("ascii")


def shorten(name: str, width: int = 40) -> str:
    """A name of at most `width` characters, clean, with the middle left out: its ends tell modules apart."""
    name = clean(name)
    if len(name) <= width:
        return name
    head = (width - 1) // 3
    return f"{name[:head]}…{name[head + 1 - width :]}"


def enumerate_names(names: Sequence[str], most: int = 3, width: int = 40) -> str:
    """`a, b, c and 9 more`."""
    shown = ", ".join(shorten(name, width) for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most:,} more"


def unique_labels(names: Sequence[str], width: int = 20) -> list[str]:
    """Short labels, one for each name and no two alike: chart axes take equal labels for one place."""
    taken: set[str] = set()
    labels: list[str] = []
    for name in _telling(names):
        label, count = shorten(name, width), 2
        while label in taken:
            label, count = f"{shorten(name, width - 4)} #{count}", count + 1
        taken.add(label)
        labels.append(label)
    return labels


def _telling(names: Sequence[str]) -> list[str]:
    """Dotted names without what all of them share at the end, and at the start but for the last word shared."""
    words = [name.split(".") for name in names]
    if len(words) < 2:
        return list(names)
    least = min(map(len, words)) - 1
    before = _shared(words, least)
    after = _shared([list(reversed(w)) for w in words], least - before)
    return [".".join(w[max(before - 1, 0) : len(w) - after]) for w in words]


def _shared(words: Sequence[Sequence[str]], most: int) -> int:
    """How many words, at most `most`, all lists begin with."""
    for place in range(most):
        if any(w[place] != words[0][place] for w in words):
            return place
    return max(most, 0)
