"""What may stand after the `=` of a change, checked before the script runs and without importing the remedies."""

from __future__ import annotations

from trimtab.core.errors import TrimtabError
from trimtab.core.recipe import Change

NUMBERS = (
    "add-momentum",
    "average-weights",
    "clip-by-norm",
    "clip-by-value",
    "enlarge-batch",
    "follow-statistics",
    "loosen-clipping",
    "lower-epsilon",
    "lower-learning-rate",
    "lower-momentum",
    "lower-weight-decay",
    "raise-learning-rate",
    "scale-each-coordinate",
    "warm-up",
)
WORDS = {
    "normalize-layers": ("layer", "batch"),
    "match-loss": ("softmax", "sigmoid", "probabilities", "squeeze", "unsqueeze"),
    "raise-learning-rate": ("hold",),
}
PAIR = "standardize-targets"


def check_parameter(change: Change) -> None:
    """Raise TrimtabError for a parameter that the change does not take."""
    words = WORDS.get(change.name, ())
    if change.name == PAIR:
        _check_pair(change)
    elif change.value is None or change.value in words:
        return
    elif change.name in NUMBERS:
        change.number(0.0)
    elif words:
        raise TrimtabError(f"--with: {change}: the parameter is one of {', '.join(words)}")
    else:
        raise TrimtabError(f"--with: {change}: {change.name} takes no parameter; leave out ={change.value}")


def _check_pair(change: Change) -> None:
    mean, _, sd = (change.value or "").partition(":")
    try:
        for number in (mean, sd.partition(":")[0]):
            float(number)
    except ValueError:
        example = f"{change.name}=180000:75000"
        raise TrimtabError(f"--with: {change}: give mean and sd of the targets, as in {example}") from None
