"""Every Python block of the documents runs, page by page from top to bottom; every command is one that there is."""

import ast
import re
import shlex
import subprocess
import sys
import textwrap
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from trimtab.cli import COMMANDS

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/*.md")])
BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^\1```", re.M | re.S)
TO_PASTE = {"rules", "remedies"}  # lines for somebody's script, and no scripts of their own


def blocks(page: Path, language: str) -> list[str]:
    found = BLOCK.findall(page.read_text(encoding="utf-8"))
    return [textwrap.dedent(code) for _, name, code in found if name == language]


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


PROGRAMS = [p for p in DOCUMENTS if p.parent.name not in TO_PASTE and blocks(p, "python")]
LINES = sorted({code for p in DOCUMENTS if p.parent.name in TO_PASTE for code in blocks(p, "python")})


@pytest.mark.parametrize("page", PROGRAMS, ids=name)
def test_the_code_of_a_page_runs_and_prints_what_it_says(page: Path, monkeypatch, tmp_path):
    import torch

    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    code = "\n".join(blocks(page, "python"))
    said = re.findall(r"^ *print\(.*?\)(?: +# (.*?)(?:: .*)?)?$", code, re.M)
    printed: list[str] = []
    names = {"print": lambda *values: printed.append(" ".join(map(str, values)))} | around(page)
    exec(compile(code, page.name, "exec"), names)
    assert len(printed) == len(said)
    assert [line for line, what in zip(printed, said, strict=True) if what and line != what] == []


def around(page: Path) -> dict[str, Any]:
    """What the README's blocks take for granted; the pages of the site stand on their own."""
    if page.parent != ROOT:
        return {}
    script = stand_in()
    names = {"model": script["model"], "batch": script["x"], "train": script["train"]}
    return names | {"evaluate": lambda model: model(script["x"])}


def stand_in() -> dict[str, Any]:
    """A script of the usual names, for lines to paste."""
    import torch
    from torch import nn
    from torch.utils.checkpoint import checkpoint
    from torch.utils.data import DataLoader, TensorDataset

    import trimtab

    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 1))
    x, target = torch.randn(16, 4), torch.randn(16, 1)
    model(x).square().mean().backward()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    dataset = TensorDataset(x, target)
    loader = DataLoader(dataset, batch_size=8)
    script = {"torch": torch, "nn": nn, "DataLoader": DataLoader, "checkpoint": checkpoint, "trimtab": trimtab}
    script |= {"model": model, "layer": model[0], "layers": [model[0]], "block": model, "encoder": model[0]}
    script |= {"x": x, "y": target, "target": target, "x_train": x, "x_test": x, "y_train": target, "y_test": target}
    script |= {"dataset": dataset, "loader": loader, "train_loader": loader, "optimizer": optimizer, "lr": 0.01}
    script |= {"prediction": model(x), "loss": model(x).square().mean(), "loss_fn": nn.functional.mse_loss}
    script |= {"logits": torch.randn(16, 3), "self": SimpleNamespace(), "evaluate": lambda model: model(x)}
    script |= {"mean": torch.zeros(()), "sd": torch.ones(()), "width": 8, "input_size": 4, "n": 8}

    def train() -> None:
        for _ in range(40):
            optimizer.zero_grad()
            model(x).square().mean().backward()
            optimizer.step()

    return script | {"train": train}


class Filled(ast.NodeTransformer):
    """Lines to paste with something in the place of each `...`."""

    VALUES = {"lr": 0.01, "batch_size": 8}

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if [isinstance(a, ast.Constant) and a.value is ... for a in node.args] == [True]:
            node.args = [ast.Constant(4), ast.Constant(8)]
        return node

    def visit_keyword(self, node: ast.keyword) -> ast.AST:
        if isinstance(node.value, ast.Constant) and node.value.value is ...:
            node.value = ast.Constant(self.VALUES[node.arg or ""])
        return node


@pytest.mark.filterwarnings("ignore::UserWarning")  # of torch: anomaly detection is slow, no GPU for autocast, …
@pytest.mark.parametrize("code", LINES, ids=[f"{i}" for i in range(len(LINES))])
def test_lines_to_paste_run_in_a_script_of_the_usual_names(code: str):
    script = stand_in()
    wrapped = "def script():\n" + textwrap.indent(f"global {', '.join(stored(code))}\n" if stored(code) else "", "    ")
    tree = Filled().visit(ast.parse(wrapped + textwrap.indent(code, "    ")))
    exec(compile(ast.fix_missing_locations(tree), "<lines>", "exec"), script)
    script["script"]()


def stored(code: str) -> list[str]:
    """Names that the lines assign: those of the script, not new ones of a function."""
    tree = ast.parse("def f():\n" + textwrap.indent(code, "    "))
    return sorted({n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)})


@cache
def help_of(command: str) -> str:
    words = [sys.executable, "-m", "trimtab", command, "--help"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("page", [p for p in DOCUMENTS if blocks(p, "bash")], ids=name)
def test_every_command_of_a_page_is_one_that_there_is(page: Path):
    lines = [part for code in blocks(page, "bash") for line in code.splitlines() for part in line.split("&&")]
    calls = [words for line in lines if (words := shlex.split(line, comments=True)) and words[0].endswith("trimtab")]
    for _, command, *words in calls:
        assert command in COMMANDS
        end = next((i for i, word in enumerate(words) if word.endswith(".py")), len(words))
        options = [word.partition("=")[0] for word in words[:end] if word.startswith("-")]
        assert [option for option in options if option not in help_of(command)] == []
