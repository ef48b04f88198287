"""The kinds of block that a report consists of; every renderer matches on them.

All text in a block is clean: no control characters, though markup of the target format is still to be escaped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

from trimtab.core.finding import Severity, Status
from trimtab.core.study import Verdict as TrialVerdict


class Figure(Protocol):
    """The data of one chart, thinned, which knows how to draw itself."""

    def spec(self) -> dict[str, Any]:
        """A Vega-Lite specification with the data inside."""
        ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the run has in one line; `because` is the suspected cause, or what could not be judged and why."""

    status: Status
    text: str
    because: str = ""


@dataclass(frozen=True, slots=True)
class Heading:
    """The name of a finding, with its code and where it stands."""

    code: str
    name: str
    severity: Severity
    aside: str


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph, with the word that says which question it answers."""

    label: Literal["what", "where", "why", "next"]
    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """Pairs of name and value."""

    label: Literal["evidence"]
    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Code:
    """Lines to paste, as they are."""

    text: str


@dataclass(frozen=True, slots=True)
class Symptom:
    """A finding that another one explains."""

    code: str
    name: str
    severity: Severity
    where: str
    text: str


@dataclass(frozen=True, slots=True)
class Symptoms:
    """What a root cause explains, folded under it."""

    items: tuple[Symptom, ...]


@dataclass(frozen=True, slots=True)
class Note:
    """Something worth knowing that makes no run sick."""

    code: str
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Remark:
    """What a reader has to know of how the diagnosis was made."""

    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture with its title, one line that says how to read it, and what it shows in words.

    `width` is the part of a wide page that it takes.
    """

    width: Literal["whole", "wide", "narrow", "half"]
    title: str
    caption: str
    alt: str
    figure: Figure


@dataclass(frozen=True, slots=True)
class Link:
    """A word of a chain of causes; `code` is that of the finding it names, empty where it names none."""

    text: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Chain:
    """How the leading fault comes about and what follows from it, in a picture of words: cause, root, symptoms."""

    cause: Link | None
    root: Link
    symptoms: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class LayerRow:
    """What was measured of one layer, and the place in execution order by which charts know it."""

    place: int
    label: str
    name: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Layers:
    """The layers as numbers: what the charts show, for reading, and for choosing one of them."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[LayerRow, ...]


@dataclass(frozen=True, slots=True)
class Footer:
    """Where the report comes from."""

    rows: tuple[tuple[str, str], ...]


Part: TypeAlias = Text | Table | Code | Symptoms


@dataclass(frozen=True, slots=True)
class Section:
    """One root cause."""

    heading: Heading
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One trial: the recipe, what came of it, in a word and in numbers, and why it is called so."""

    verdict: TrialVerdict
    recipe: str
    loss: str
    effect: str
    reason: str


@dataclass(frozen=True, slots=True)
class Trials:
    """Recipes that were tried, best first, under a line that says against what."""

    caption: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """A change to make: where in the script, what, and the lines to paste."""

    place: str
    text: str
    code: Code


@dataclass(frozen=True, slots=True)
class Cure:
    """What to change: proven, where a trial has shown that it helps."""

    title: str
    proof: str
    steps: tuple[Step, ...]
    command: str


@dataclass(frozen=True, slots=True)
class SideBySide:
    """Two runs in columns under a caption: the first cell of a row says what, `head` names the columns."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    leading: bool = False


Block: TypeAlias = Verdict | Chain | Section | Note | Remark | Chart | Layers | Footer | Trials | Cure | SideBySide
