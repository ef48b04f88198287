"""How a run is set up, as a value: named changes with their parameters, as they are typed after `--with`."""

from __future__ import annotations

from dataclasses import dataclass

from trimtab.core.errors import TrimtabError


@dataclass(frozen=True, slots=True)
class Change:
    """One change to a run: a remedy by name, with its parameter where it takes one: `clip-by-norm=1`."""

    name: str
    value: str | None = None

    def __str__(self) -> str:
        return self.name if self.value is None else f"{self.name}={self.value}"

    def number(self, default: float) -> float:
        """The parameter as a number; raises TrimtabError where it is none."""
        if self.value is None:
            return default
        try:
            return float(self.value)
        except ValueError:
            raise TrimtabError(f"{self.name}={self.value}: the parameter is a number, as in {self.name}=1.0") from None


@dataclass(frozen=True, slots=True)
class Recipe:
    """The changes of a trial, in the order in which they are made; none is the run as it is."""

    changes: tuple[Change, ...] = ()

    def __str__(self) -> str:
        return ",".join(map(str, self.changes))

    def __bool__(self) -> bool:
        return bool(self.changes)

    def __add__(self, other: Recipe) -> Recipe:
        """Both, each change once; of two with one name the first stays."""
        names = {change.name for change in self.changes}
        return Recipe((*self.changes, *(change for change in other.changes if change.name not in names)))

    @classmethod
    def parse(cls, text: str) -> Recipe:
        """What was typed: names with commas between, each with `=` and a parameter where it takes one."""
        parts = [part.strip() for part in text.split(",")]
        if not all(parts):
            raise TrimtabError(f"--with {text!r}: expected names with commas between; `trimtab remedies` lists them")
        changes = [Change(name.strip(), value.strip() or None) for name, _, value in (p.partition("=") for p in parts)]
        names = [change.name for change in changes]
        if len(set(names)) < len(names):
            raise TrimtabError(f"--with {text!r}: a change stands twice; give it once, with one parameter")
        return cls(tuple(changes))
