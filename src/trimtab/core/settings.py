"""What is settled before a run: which rules are asked, what is ignored where, how severe is too severe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast

from trimtab.core.errors import TrimtabError

FailOn = Literal["never", "warn", "fail"]
BARS: tuple[FailOn, ...] = ("never", "warn", "fail")
TABLE = "tool.trimtab"


@dataclass(frozen=True, slots=True)
class Ignore:
    """Findings that are not to be reported: those of the rules whose code begins with `code`.

    `layer` restricts it to names that fit a pattern (`encoder.*`), `lines` to a statement of a script, as file, first
    and last line. `source` says who asked for it: `--ignore`, `pyproject.toml`, `train.py:12`. `taken` counts the
    findings that it took away or narrowed in a diagnosis; None where the rule was not asked at all.
    """

    code: str
    source: str
    layer: str = ""
    lines: tuple[str, int, int] | None = None
    taken: int | None = None

    @property
    def everywhere(self) -> bool:
        """Whether it holds for the whole run, so that the rule need not be asked."""
        return not self.layer and self.lines is None


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a command; `source` is the file that they were read from, empty for the defaults.

    `plugins` are files of rules, by absolute path, or names of modules.
    """

    select: tuple[str, ...] = ()
    ignores: tuple[Ignore, ...] = ()
    fail_on: FailOn = "never"
    budget: float = 3.0
    plugins: tuple[str, ...] = ()
    source: str = ""
    selected_by: str = ""

    def with_words(
        self,
        select: Sequence[str] = (),
        ignore: Sequence[str] = (),
        fail_on: FailOn | None = None,
        budget: float | None = None,
        names: tuple[str, str] = ("--select", "--ignore"),
    ) -> Settings:
        """The settings under what was said on the command line, which wins.

        `select` puts the file's `select` and `ignore` aside, `ignore` adds to what is ignored. `names` are what the
        two are called where they were given.
        """
        kept = [ignore for ignore in self.ignores if not (select and ignore.everywhere)]
        return replace(
            self,
            select=tuple(select) or self.select,
            selected_by=names[0] if select else self.selected_by,
            ignores=(*kept, *(Ignore(code, names[1]) for code in ignore)),
            fail_on=fail_on or self.fail_on,
            budget=self.budget if budget is None else budget,
        )

    def check(self, codes: Sequence[str]) -> None:
        """Raise TrimtabError for a code or prefix that no rule has: it is a spelling mistake."""
        asked = [(prefix, self.selected_by) for prefix in self.select]
        for prefix, source in (*asked, *((ignore.code, ignore.source) for ignore in self.ignores)):
            if not fits(prefix, codes):
                raise TrimtabError(f"{source}: no rule has the code or prefix {prefix!r}; `trimtab rules` lists them")


def fits(prefix: str, codes: Sequence[str]) -> bool:
    """Whether a code begins with this prefix."""
    return bool(prefix) and any(code.startswith(prefix) for code in codes)


def from_table(table: Mapping[str, object], source: str) -> Settings:
    """Settings from the table `[tool.trimtab]` of a file; raises TrimtabError for what it cannot have."""
    for key in table:
        if key not in _KEYS:
            raise TrimtabError(f"{source}: [{TABLE}] has no key {key!r}; {_nearest(key)}")
    of_layers = _table(table.get("per-layer-ignores", {}), source)
    return Settings(
        select=_codes(table.get("select", []), "select", source),
        ignores=(
            *(Ignore(code, source) for code in _codes(table.get("ignore", []), "ignore", source)),
            *(
                Ignore(code, source, layer=layer)
                for layer, listed in of_layers.items()
                for code in _codes(listed, f'per-layer-ignores."{layer}"', source)
            ),
        ),
        fail_on=_bar(table.get("fail-on", "never"), source),
        budget=_budget(table.get("budget", 3.0), source),
        plugins=_texts(table.get("plugins", []), "plugins", source, '["my_rules.py"]'),
        source=source,
        selected_by=source,
    )


_KEYS = ("select", "ignore", "fail-on", "budget", "per-layer-ignores", "plugins")


def _nearest(key: str) -> str:
    import difflib  # only here: a file of this name beside the script must not keep trimtab from starting

    near = difflib.get_close_matches(key.replace("_", "-"), _KEYS, 1)
    return f"did you mean {near[0]}?" if near else f"it has {', '.join(_KEYS)}"


def _wrong(key: str, source: str, expected: str, got: object) -> TrimtabError:
    return TrimtabError(f"{source}: {TABLE}.{key} is {expected}; got {got!r}")


def _texts(value: object, key: str, source: str, example: str) -> tuple[str, ...]:
    listed = cast("list[object]", value) if isinstance(value, list) else [None]
    texts = tuple(each for each in listed if isinstance(each, str) and each)
    if len(texts) < len(listed):
        raise _wrong(key, source, f"a list of strings, as in {example}", cast(object, value))
    return texts


def _codes(value: object, key: str, source: str) -> tuple[str, ...]:
    return tuple(text.strip().upper() for text in _texts(value, key, source, '["TT212", "TT3"]'))


def _table(value: object, source: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise _wrong("per-layer-ignores", source, 'a table, as in "encoder.*" = ["TT212"]', value)
    return cast("Mapping[str, object]", value)


def _bar(value: object, source: str) -> FailOn:
    for bar in BARS:
        if value == bar:
            return bar
    raise _wrong("fail-on", source, f"one of {', '.join(BARS)}", value)


def _budget(value: object, source: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= 100:
        raise _wrong("budget", source, "a percentage above 0 and at most 100", value)
    return float(value)
