"""What the documents say about the project holds: links, commands, options, versions."""

import argparse
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from docs.rule_pages import INDEX, index, page, stem, svg
from docs.rule_pages import PAGES as PAGES_OF_RULES
from trimtab.cli import compare, diagnose, export
from trimtab.cli.parser import Parser
from trimtab.cli.run import parser
from trimtab.core.rule import Rule
from trimtab.rules import all_rules
from trimtab.version import __version__

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/README.md")])
TEXTS = [
    path
    for folder in ("src", "tests", "docs", "benchmarks", "clinic", ".ci")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in ("", ".py", ".md", ".toml", ".json", ".txt") and path.is_file()
] + [path for path in ROOT.iterdir() if path.suffix in (".md", ".toml", ".txt", ".yaml")]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_lead_somewhere(page: Path):
    prose = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)#\s]+)", prose)
    broken = [t for t in targets if not t.startswith(("http://", "https://")) and not (page.parent / t).exists()]
    assert not broken


def test_readme_has_the_two_commands_that_ci_runs():
    commands = re.findall(r"^python3 -m venv .*", read("README.md"), re.MULTILINE)
    assert len(commands) == 2
    assert commands[0].endswith("trimtab demo") and commands[1].endswith("pytest")
    assert all("-c constraints.txt" in command for command in commands)
    assert "grep '^python3 -m venv' README.md" in read(".ci/run")


def test_changelog_has_the_version():
    assert f"\n## {__version__}\n" in read("CHANGELOG.md")


def test_every_option_is_documented():
    options = [o for action in parser()._actions if action.help != argparse.SUPPRESS for o in action.option_strings]
    documented = read("docs/cli.md")
    assert [o for o in options if o.startswith("--") and o != "--help" and f"`{o}" not in documented] == []


@pytest.mark.parametrize(
    "parser", [compare.parser, diagnose.parser, export.parser], ids=["compare", "diagnose", "export"]
)
def test_every_option_of_the_other_commands_is_documented(parser: Callable[[], Parser]):
    options = [option for action in parser()._actions for option in action.option_strings]
    documented = read("docs/cli.md")
    assert [o for o in options if o.startswith("--") and o != "--help" and f"`{o}" not in documented] == []


def test_every_rule_is_in_the_readme():
    table = read("README.md")
    assert [rule.code for rule in all_rules() if f"| {rule.code} | {rule.name} |" not in table] == []


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.code)
def test_every_rule_has_its_page_as_the_rule_has_it(rule: Rule):
    path = PAGES_OF_RULES / f"{stem(rule)}.md"
    assert path.read_text(encoding="utf-8") == page(rule), "python -m docs.rule_pages"
    assert (svg(rule) is None) == (not path.with_suffix(".svg").exists())


def test_the_index_of_rules_is_as_the_rules_are():
    assert INDEX.read_text(encoding="utf-8") == index()
    assert {p.stem for p in PAGES_OF_RULES.glob("*.md")} == {stem(rule) for rule in all_rules()}


def test_every_command_is_documented():
    done = subprocess.run([sys.executable, "-m", "trimtab", "--help"], capture_output=True, text=True, check=True)
    commands = re.findall(r"^  (\w+) {2,}", done.stdout, re.MULTILINE)
    assert len(commands) >= 6
    assert [command for command in commands if f"trimtab {command}" not in read("docs/cli.md")] == []


def test_no_file_names_a_place_on_somebodys_machine():
    places = re.compile("/" + r"(?:work|home|Users)/\w")
    assert [str(p.relative_to(ROOT)) for p in TEXTS if places.search(p.read_text(encoding="utf-8"))] == []


def test_the_components_in_the_readme_run():
    import torch

    blocks = re.findall(r"```python\n(.*?)```", read("README.md"), re.DOTALL)
    (block,) = (block for block in blocks if "trimtab.optim" in block)
    model, seen = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2)), []
    exec(block, {"model": model, "batch": torch.randn(16, 4), "evaluate": seen.append})
    assert seen == [model]
