"""What was probably meant by a word that is not known."""

from __future__ import annotations

from collections.abc import Iterable


def suggestion(word: str, known: Iterable[str], otherwise: str) -> str:
    """`did you mean …?` where a known word is near, else what is said otherwise."""
    import difflib  # only here: a file of this name beside the script must not keep trimtab from starting

    near = difflib.get_close_matches(word, list(known), 1)
    return f"did you mean {near[0]}?" if near else otherwise
