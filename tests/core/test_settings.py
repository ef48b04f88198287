"""The table [tool.trimtab] as a value: what it may say, what it may not, and what the command line makes of it."""

from __future__ import annotations

import pytest

from trimtab.core.errors import TrimtabError
from trimtab.core.settings import Ignore, Settings, from_table

TABLE = {
    "select": ["tt3", "TT212"],
    "ignore": ["TT305"],
    "fail-on": "warn",
    "budget": 5,
    "plugins": ["rules.py"],
    "per-layer-ignores": {"encoder.*": ["TT212", "TT3"]},
}


def test_every_key_is_read() -> None:
    settings = from_table(TABLE, "pyproject.toml")
    assert settings.select == ("TT3", "TT212")
    assert [(i.code, i.layer, i.source) for i in settings.ignores] == [
        ("TT305", "", "pyproject.toml"),
        ("TT212", "encoder.*", "pyproject.toml"),
        ("TT3", "encoder.*", "pyproject.toml"),
    ]
    assert (settings.fail_on, settings.budget, settings.plugins) == ("warn", 5.0, ("rules.py",))
    assert from_table({}, "x").with_words() == Settings(source="x", selected_by="x")


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"slect": []}, ["slect", "did you mean select"]),
        ({"fail_on": "warn"}, ["fail_on", "did you mean fail-on"]),
        ({"quiet": True}, ["quiet", "per-layer-ignores"]),
        ({"select": "TT3"}, ["select", "list of strings", "'TT3'"]),
        ({"ignore": [3]}, ["ignore", "[3]"]),
        ({"ignore": [""]}, ["ignore", "['']"]),
        ({"fail-on": "always"}, ["fail-on", "never, warn, fail", "'always'"]),
        ({"budget": "lots"}, ["budget", "percentage", "'lots'"]),
        ({"budget": True}, ["budget", "True"]),
        ({"budget": 0}, ["budget", "0"]),
        ({"plugins": {}}, ["plugins", "{}"]),
        ({"per-layer-ignores": ["TT2"]}, ["per-layer-ignores", "table"]),
        ({"per-layer-ignores": {"a.*": "TT2"}}, ['per-layer-ignores."a.*"', "'TT2'"]),
    ],
)
def test_what_it_cannot_say_is_refused_by_name(table: dict[str, object], told: list[str]) -> None:
    with pytest.raises(TrimtabError) as refused:
        from_table(table, "my.toml")
    assert all(word in str(refused.value) for word in ["my.toml", *told])


def test_the_command_line_wins() -> None:
    settings = from_table(TABLE, "pyproject.toml")
    more = settings.with_words(ignore=["TT4"])
    assert [i.code for i in more.ignores if i.everywhere] == ["TT305", "TT4"] and more.select == settings.select
    chosen = settings.with_words(select=["TT305"], fail_on="never", budget=1.0)
    assert chosen.select == ("TT305",) and [i.code for i in chosen.ignores if i.everywhere] == []
    assert [i.layer for i in chosen.ignores] == ["encoder.*"] * 2
    assert (chosen.fail_on, chosen.budget) == ("never", 1.0)


def test_a_code_that_no_rule_has_is_told_with_who_asked() -> None:
    for settings in (Settings(select=("TT9",), selected_by="a.toml"), Settings(ignores=(Ignore("TT9", "a.toml"),))):
        settings.check(["TT901"])
        with pytest.raises(TrimtabError, match=r"a\.toml: no rule has the code or prefix 'TT9'"):
            settings.check(["TT101"])
