"""The programs on disk: which there are and what their first lines say about them.

A program's leading `# key: value` lines are its header. Sick ones carry `expect` (the codes that name the root cause;
any of them is right), `accept` (codes that are true of the run as well) and `fault`; `quiet` says in which statistic a
fault shows that leaves the metric alone. Cured twins carry `cure`; healthy ones carry `trap` (what makes them easily
mistaken) and `floor` (the metric that they must reach).

Half of the programs, chosen by a hash of their names, are held out: no limit of a rule was set with a view to them.
Those of them that were looked into after all, to learn why they were misjudged, stand in studied.txt and count as held
out no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).parent
KINDS = ("sick", "cured", "healthy")
STUDIED = frozenset((ROOT / "studied.txt").read_text(encoding="utf-8").split())
KEYS = frozenset({"expect", "accept", "fault", "quiet", "cure", "trap", "floor"})


@dataclass(frozen=True)
class Program:
    """One standalone training script and its header."""

    kind: str
    path: Path
    header: Mapping[str, str]

    @property
    def name(self) -> str:
        """`sick/deep_sigmoid_mlp`, as it is typed and printed."""
        return f"{self.kind}/{self.path.stem}"

    @property
    def expect(self) -> tuple[str, ...]:
        """Codes that name the root cause."""
        return _codes(self.header.get("expect", ""))

    @property
    def accept(self) -> tuple[str, ...]:
        """Codes that are true of the run without being its root cause."""
        return _codes(self.header.get("accept", ""))

    @property
    def floor(self) -> float | None:
        """The metric that a healthy program must reach."""
        return float(self.header["floor"]) if "floor" in self.header else None

    @property
    def quiet(self) -> bool:
        """Whether the fault shows in statistics only, and need not cost the metric anything."""
        return "quiet" in self.header

    @property
    def held_out(self) -> bool:
        """Whether the program, with its twin, takes no part in the setting of limits."""
        return sha256(self.path.stem.encode()).digest()[0] % 2 == 1 and self.path.stem not in STUDIED

    @property
    def twin(self) -> Path:
        """The other file of a sick and cured pair."""
        return self.path.parent.parent / {"sick": "cured", "cured": "sick"}[self.kind] / self.path.name


def parse_header(text: str) -> dict[str, str]:
    """The leading `# key: value` lines. Raises ValueError on a key that is not one of KEYS or stands twice."""
    header: dict[str, str] = {}
    for line in text.splitlines():
        if not line.startswith("# "):
            break
        key, colon, value = line[2:].partition(": ")
        if not colon or key not in KEYS or key in header:
            raise ValueError(f"header line {line!r}: expected '# key: value' with a new key of {sorted(KEYS)}")
        header[key] = value.strip()
    return header


def load(path: Path) -> Program:
    """The program in one file."""
    return Program(path.parent.name, path, parse_header(path.read_text(encoding="utf-8")))


def discover(names: Iterable[str] = (), root: Path = ROOT) -> list[Program]:
    """All programs, or those whose name, stem or kind is given; in the order sick, cured, healthy.

    Raises:
        KeyError: a name fits no program.
    """
    programs = [load(path) for kind in KINDS for path in sorted((root / kind).glob("*.py"))]
    wanted = tuple(names)
    unknown = [n for n in wanted if not any(_fits(n, p) for p in programs)]
    if unknown:
        raise KeyError(f"no such program: {', '.join(unknown)}")
    return [p for p in programs if not wanted or any(_fits(n, p) for n in wanted)]


def _fits(name: str, program: Program) -> bool:
    return name in (program.name, program.path.stem, program.kind)


def _codes(value: str) -> tuple[str, ...]:
    return tuple(code.strip() for code in value.split(",") if code.strip())
