"""The line that builds a layer, from its name and the source."""

from __future__ import annotations

import ast
import textwrap

import pytest

from trimtab.report.layer_lines import line_of_layer

SOURCE = """\
class Encoder(nn.Module):
    def __init__(self):
        self.body = nn.Sequential(
            nn.Linear(8, 16),
            nn.ReLU(),
            nn.Sequential(nn.Linear(16, 16)),
        )
        self.blocks = nn.ModuleList([
            nn.Linear(16, 16),
            nn.Linear(16, 4),
        ])
        self.made = nn.ModuleList(nn.Linear(4, 4) for _ in range(9))
        self.spread = nn.Sequential(*layers, nn.Linear(4, 4))
        self.head: nn.Module = nn.Linear(4, 2)

class Twice(nn.Module):
    def __init__(self):
        self.shared = nn.Linear(1, 1)

class Thrice(nn.Module):
    def __init__(self):
        self.shared = nn.Linear(1, 1)

weight = torch.randn(3, 3)

class Whole(nn.Module):
    def __init__(self):
        self.encoder = Encoder()
        self.other = torch.nn.Linear(1, 1)
"""

LINES = {
    "body.0": 4,
    "body.0.weight": 4,
    "body.2.0": 6,
    "blocks.1": 10,
    "blocks[1]": 10,
    "made.3": 12,
    "spread.1": 13,
    "head": 14,
    "head.bias": 14,
    "weight": 24,
    "encoder.blocks.1.weight": 10,
    "encoder.absent": 28,
    "other.weight": 29,
    "shared": None,
    "absent": None,
    "": None,
}


@pytest.mark.parametrize("name", LINES)
def test_a_name_leads_to_the_line_that_builds_it(name: str) -> None:
    found = line_of_layer([ast.parse("x = 1"), ast.parse(SOURCE)], name)
    assert found == (None if LINES[name] is None else (1, LINES[name]))


def test_a_model_that_is_one_sequential_has_numbers_for_names() -> None:
    source = textwrap.dedent("""\
        model = nn.Sequential(
            nn.Linear(8, 16),
            nn.Tanh(),
            nn.Linear(16, 1),
        )
    """)
    assert line_of_layer([ast.parse(source)], "2") == (0, 4)
    assert line_of_layer([ast.parse(source + "other = nn.Sequential(nn.Linear(1, 1))")], "2") is None
