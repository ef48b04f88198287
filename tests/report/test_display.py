from __future__ import annotations

import io
import subprocess
import sys

import pytest
from rich.console import Console

from trimtab.core.errors import TrimtabError
from trimtab.report.display import DisplayedDiagnosis


@pytest.fixture
def shown(sick) -> DisplayedDiagnosis:
    return DisplayedDiagnosis.of(sick.diagnosis, sick.trace)


def test_print_shows_the_terminal_report(shown: DisplayedDiagnosis) -> None:
    assert str(shown).startswith("SICK after 240 steps: input not normalized")
    assert "\x1b" not in str(shown)


def test_rich_shows_it_in_the_width_that_there_is(shown: DisplayedDiagnosis) -> None:
    stream = io.StringIO()
    Console(file=stream, width=60).print(shown)
    assert "SICK after 240 steps" in stream.getvalue()
    assert max(map(len, stream.getvalue().splitlines())) <= 60


def test_a_notebook_gets_html_without_scripts(shown: DisplayedDiagnosis) -> None:
    html = shown._repr_html_()
    assert "input-not-normalized" in html
    assert "<script" not in html


def test_it_is_a_diagnosis_with_its_trace(sick, shown: DisplayedDiagnosis) -> None:
    assert shown.trace is sick.trace
    assert shown.roots == sick.diagnosis.roots
    assert "Trace(" not in repr(shown)


def test_reports_are_made_without_torch() -> None:
    code = """
import io, sys
sys.modules["torch"] = None
from trimtab.core.signal import LOSS
from trimtab.core.finding import Diagnosis
from trimtab.core.synthetic import synthetic_trace
from trimtab.report import display, json, page, terminal
trace = synthetic_trace({"loss": ["l"]}, {LOSS: [3.0, 2.0]})
shown = display.DisplayedDiagnosis.of(Diagnosis("healthy", 2, (), None, 0.0, None, "0"), trace)
terminal.write(shown, trace, io.StringIO())
heavy = {"altair", "vl_convert"} & set(sys.modules)
assert not heavy, heavy
assert json.dumps(shown) and "<figure" in page.render(shown, trace)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_chart_is_had_by_name_and_saved_without_a_browser(vanishing, tmp_path) -> None:
    diagnosed = DisplayedDiagnosis.of(vanishing.diagnosis, vanishing.trace)
    chart = diagnosed.plot("gradient-by-depth")
    chart.save(tmp_path / "map.svg")
    chart.save(tmp_path / "map.png")
    assert "Gradient by depth" in (tmp_path / "map.svg").read_text(encoding="utf-8")
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")
    shown = chart._repr_mimebundle_()
    assert shown["image/svg+xml"].startswith("<svg")  # no script that a notebook would load from a network
    assert chart.to_dict()["description"].startswith("Heat map of the gradient")


def test_what_cannot_be_plotted_is_said_with_what_can(sick, unseen) -> None:
    diagnosed = DisplayedDiagnosis.of(sick.diagnosis, sick.trace)
    with pytest.raises(TrimtabError, match=r"no chart 'gradients'; the charts are gradient-by-depth, backward-gain"):
        diagnosed.plot("gradients")
    with pytest.raises(TrimtabError, match=r"plot takes the name of a chart; the charts are gradient-by-depth"):
        diagnosed.plot()
    with pytest.raises(TrimtabError, match=r"no data for 'noise-scale'; it has data for gradient-by-depth"):
        diagnosed.plot("noise-scale")
    with pytest.raises(TrimtabError, match="no data for 'loss'; it has data for no chart"):
        DisplayedDiagnosis.of(unseen.diagnosis, unseen.trace).plot("loss")
