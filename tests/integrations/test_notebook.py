"""In a real Jupyter kernel: what cells show, also one that was interrupted."""

from __future__ import annotations

from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")

PREPARE = """
import torch, trimtab
from torch import nn

def train(activation, stop_at=None):
    torch.manual_seed(0)
    hidden = [part for _ in range(10) for part in (nn.Linear(16, 16), activation())]
    model = nn.Sequential(*hidden, nn.Linear(16, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    x = torch.randn(64, 16)
    for step in range(40):
        if step == stop_at:
            raise KeyboardInterrupt
        loss = (model(x) - x[:, :1]).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""
SICK = "with trimtab.watch() as sick:\n    train(nn.Sigmoid)\ntrimtab.diagnose(sick)"
HEALTHY = "with trimtab.watch() as healthy:\n    train(nn.ReLU)\ntrimtab.diagnose(healthy)"
INTERRUPTED = "with trimtab.watch() as cut:\n    train(nn.ReLU, stop_at=12)"
ASKED_AFTER = "trimtab.diagnose(cut)"
BY_CALLBACK = """
from trimtab.integrations.training import WatchedTraining
callback = WatchedTraining()
callback._begin()
train(nn.Sigmoid)
callback._end()
"""


def outputs(cell: Any) -> list[Any]:
    return [output for output in cell.outputs if output.output_type in ("execute_result", "display_data")]


@pytest.fixture(scope="module")
def cells() -> list[Any]:
    """The cells of one notebook after it was run; errors of a cell do not stop it."""
    codes = (PREPARE, SICK, HEALTHY, INTERRUPTED, ASKED_AFTER, BY_CALLBACK)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in codes])
    NotebookClient(notebook, timeout=90, kernel_name="python3", allow_errors=True).execute()
    return notebook.cells


def test_a_diagnosis_is_html_and_text_below_its_cell(cells: list[Any]) -> None:
    (shown,) = outputs(cells[1])
    assert "vanishing-gradient" in shown.data["text/html"]
    assert "<script" not in shown.data["text/html"]
    assert "vanishing" in shown.data["text/plain"]


def test_two_trainings_in_two_cells_are_two_diagnoses(cells: list[Any]) -> None:
    (shown,) = outputs(cells[2])
    assert "<b>HEALTHY</b> " in shown.data["text/html"] and "40 steps" in shown.data["text/html"]


def test_an_interrupted_cell_leaves_a_diagnosis(cells: list[Any]) -> None:
    assert any(output.get("ename") == "KeyboardInterrupt" for output in cells[3].outputs)
    (shown,) = outputs(cells[4])
    assert "<b>HEALTHY</b> until it was interrupted" in shown.data["text/html"]
    assert "12 steps" in shown.data["text/html"]


def test_a_callback_shows_html_below_its_cell(cells: list[Any]) -> None:
    (shown,) = outputs(cells[5])
    assert "vanishing-gradient" in shown.data["text/html"]
