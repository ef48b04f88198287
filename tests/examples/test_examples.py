"""The bundled examples: found by name, without torch, and doing what their first line says."""

import ast
import subprocess
import sys

import pytest

from trimtab.core.errors import TrimtabError
from trimtab.examples import DEFAULT, all_examples, example

NAMES = [each.name for each in all_examples()]


def test_default_comes_first_and_each_has_a_summary():
    assert all_examples()[0].name == DEFAULT
    assert all(each.summary.endswith(".") and len(each.summary) < 110 for each in all_examples())


def test_unknown_name_says_how_to_list_them():
    with pytest.raises(TrimtabError, match="demo --list"):
        example("no-such-example")


def test_listing_does_not_import_torch():
    code = "import sys; from trimtab.examples import all_examples; all_examples(); sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", NAMES)
def test_scripts_know_nothing_of_the_watcher(name: str):
    tree = ast.parse(example(name).path.read_text(encoding="utf-8"))
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    modules |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert modules <= {"torch", "torch.nn", "torch.utils.data", "trimtab.examples", "numpy"}
