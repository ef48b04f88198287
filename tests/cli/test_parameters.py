"""The parameters that `--with` takes are those of the remedies."""

from __future__ import annotations

import re

from trimtab.cli.parameters import NUMBERS, PAIR, WORDS, check_parameter
from trimtab.core.recipe import Change
from trimtab.remedies import all_remedies


def test_every_remedy_with_a_parameter_is_known_and_no_other() -> None:
    with_parameter = {remedy.name for remedy in all_remedies() if remedy.parameter}
    assert {*NUMBERS, *WORDS, PAIR} == with_parameter


def test_the_words_are_those_that_the_remedy_names() -> None:
    for remedy in all_remedies():
        for word in WORDS.get(remedy.name, ()):
            assert re.search(rf"\b{word}\b", remedy.parameter)


def test_what_is_taken() -> None:
    for name, value in (("clip-by-norm", "1"), ("raise-learning-rate", "hold"), ("standardize-targets", "1:2:l1")):
        check_parameter(Change(name, value))
    check_parameter(Change("clip-by-norm"))
