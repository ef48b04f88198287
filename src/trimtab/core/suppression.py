"""Comments of a script that ask for silence: `# trimtab: ignore[TT406]`, `# trimtab: ignore[TT212 in encoder.*]`."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator, Sequence

from trimtab.core.settings import Ignore, fits

MARK = "trimtab:"
_COMMENT = re.compile(r"#\s*trimtab:\s*(?P<verb>\w*)(?:\[(?P<items>[^\]]*)\])?")
_ITEM = re.compile(r"(?P<code>[A-Za-z]+\d*)(?:\s+in\s+(?P<layer>\S+))?")
_NOTED = re.compile(r"(?P<file>.+?):(?P<first>\d{1,9})(?:-(?P<last>\d{1,9}))? (?P<comment>#.*)")


def noted(text: str, file: str) -> str:
    """The comments of a script that speak to trimtab, a line each, as they are kept in a record.

    `train.py:12 # trimtab: …` stands on a line of its own, `train.py:12-14 # …` behind the statement of these lines.
    Empty for a text that is no Python.
    """
    if MARK not in text:
        return ""
    try:
        return "\n".join(_notes(tokenize.generate_tokens(io.StringIO(text).readline), file))
    except (tokenize.TokenError, SyntaxError):
        return ""


def suppressions(notes: object, codes: Sequence[str]) -> tuple[list[Ignore], list[str]]:
    """What the noted comments ask for, and a remark for each that asks for nothing that there is."""
    ignores: list[Ignore] = []
    remarks: list[str] = []
    for line in notes.splitlines() if isinstance(notes, str) else ():
        found = _NOTED.fullmatch(line)
        if found is None:
            continue
        source = f"{found['file']}:{found['first']}"
        lines = None if found["last"] is None else (found["file"], int(found["first"]), int(found["last"]))
        for code, layer in _asked(found["comment"]):
            if fits(code, codes):
                ignores.append(Ignore(code, source, layer, None if layer else lines))
            else:
                said = f"ignores {code!r}, which no rule has" if code else f"is not understood: write {_EXAMPLE}"
                remarks.append(f"{source}: the comment to trimtab {said}")
    return ignores, remarks


_EXAMPLE = "# trimtab: ignore[TT212]"
_BETWEEN = (tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.COMMENT, tokenize.ENDMARKER)


def _notes(tokens: Iterator[tokenize.TokenInfo], file: str) -> Iterator[str]:
    """A note for each comment; one inside of a statement stands behind it."""
    begun: int | None = None
    waiting: list[str] = []
    for token in tokens:
        if token.type == tokenize.COMMENT and _COMMENT.match(token.string):
            own = not token.line[: token.start[1]].strip()
            if own and begun is None:
                yield f"{file}:{token.start[0]} {token.string}"
            else:
                waiting.append(token.string)
        elif token.type == tokenize.NEWLINE:
            yield from (f"{file}:{begun}-{token.start[0]} {comment}" for comment in waiting)
            begun, waiting = None, []
        elif begun is None and token.type not in _BETWEEN:
            begun = token.start[0]


def _asked(comment: str) -> Iterator[tuple[str, str]]:
    """Code and layer pattern of each item; an empty code for what is not understood."""
    found = _COMMENT.match(comment)
    items = (found["items"] or "").split(",") if found is not None and found["verb"] == "ignore" else [""]
    for item in items:
        each = _ITEM.fullmatch(item.strip())
        yield ("", "") if each is None else (each["code"].upper(), each["layer"] or "")
