"""From a trace, a watcher or a record to a verdict."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

import trimtab
from trimtab.core.errors import TrimtabError
from trimtab.core.settings import Ignore, Settings
from trimtab.core.signal import LOSS
from trimtab.core.synthetic import synthetic_trace
from trimtab.core.trace import Trace
from trimtab.rules.tt301_vanishing_gradient import VanishingGradient


def train(scale: float) -> None:
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    x = torch.randn(128, 4, generator=torch.Generator().manual_seed(0))
    y = x.sum(1, keepdim=True)
    for _ in range(60):
        loss = (model(x * scale) - y).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def test_a_watcher_its_trace_and_its_record_get_the_same_diagnosis(tmp_path: Path) -> None:
    torch.manual_seed(0)
    path = tmp_path / "run.db"
    with trimtab.watch(record=path) as trace:
        train(scale=1000.0)
    live, read = trimtab.diagnose(trace), trimtab.diagnose(path)
    assert live.findings == read.findings and live.status == read.status == "sick"
    assert [f.code for f in live.roots] == ["TT101"]
    assert live.steps == 60 and live.record == str(path)


def test_watch_can_be_used_again_after_its_first_use() -> None:
    for _ in range(2):
        with trimtab.watch() as trace:
            train(scale=1.0)
        assert trimtab.diagnose(trace).status == "healthy"


def test_a_diagnosis_can_be_made_while_training_goes_on() -> None:
    with trimtab.watch() as trace:
        assert trimtab.diagnose(trace).status == "unseen"
        train(scale=1.0)
        assert trimtab.diagnose(trace).status == "healthy"


def test_silence_is_never_healthy() -> None:
    assert trimtab.diagnose(Trace({}, {}, 0)).status == "unseen"
    ignored = trimtab.diagnose(VanishingGradient.sick(), ignore=["TT3", "TT402"])
    assert ignored.status == "healthy"  # something was seen, and what was asked for is in order


def test_rules_are_chosen_by_prefix() -> None:
    trace = VanishingGradient.sick()
    assert {f.code for f in trimtab.diagnose(trace, select=["TT3"]).findings} == {"TT301"}
    with pytest.raises(TrimtabError, match="TT7"):
        trimtab.diagnose(trace, select=["TT7"])


def test_a_symptom_without_its_cause_leads_itself() -> None:
    trace = synthetic_trace({"loss": ["a.py:1"]}, {LOSS: [2.0**n for n in range(30)]})
    (root,) = trimtab.diagnose(trace).findings
    assert (root.code, root.root) == ("TT602", True)


def test_what_is_ignored_in_its_layers_leaves_what_it_explained_and_is_said() -> None:
    torch.manual_seed(0)
    with trimtab.watch() as trace:
        train(scale=1000.0)
    whole = trimtab.diagnose(trace)
    first = whole.roots[0]
    settings = Settings(ignores=(Ignore(first.code, "my.toml", layer="*"),))
    left = trimtab.diagnose(trace, settings=settings)
    assert {f.code for f in left.findings} == {f.code for f in whole.findings} - {first.code}
    assert left.status == "sick" and left.roots and first.reveals in left.roots[0].causes
    assert left.ignored == (Ignore(first.code, "my.toml", layer="*", taken=1),)
    assert f"ignored: {first.code} in * (my.toml, 1 finding)" in str(left)


def test_a_healthy_run_says_what_was_not_asked() -> None:
    diagnosis = trimtab.diagnose(VanishingGradient.sick(), select=["TT3", "TT6"], ignore=["TT301"])
    assert diagnosis.status == "healthy"
    assert str(diagnosis).endswith("ignored: TT301 (ignore)\nonly TT3, TT6 asked for (select)\n")


@pytest.mark.parametrize("source", [3, None, object()])
def test_what_cannot_be_diagnosed_is_refused(source: object) -> None:
    with pytest.raises(TrimtabError, match="got"):
        trimtab.diagnose(source)  # type: ignore[arg-type]


def test_a_run_too_short_to_judge_says_for_which_rules() -> None:
    trace = synthetic_trace({"loss": ["train.py:9"]}, {LOSS: [2.3, 2.2, 2.1, 2.0, 1.9]})
    diagnosis = trimtab.diagnose(trace)
    assert {"TT401": 20, "TT402": 20, "TT602": 6}.items() <= diagnosis.waiting.items()
    assert diagnosis.waiting.keys().isdisjoint(diagnosis.checked)
    said = " ".join(str(diagnosis).split())
    assert f"too few steps for {', '.join(sorted(diagnosis.waiting))}: not judged before step" in said


def test_a_run_that_was_cut_short_is_healthy_only_until_then() -> None:
    trace = synthetic_trace({"loss": ["train.py:9"]}, {LOSS: [2.3] * 60}, meta={"ended": "interrupt"})
    assert "HEALTHY until it was interrupted" in str(trimtab.diagnose(trace))
    goes_on = replace(trace, meta={"ended": None})
    assert "HEALTHY so far: " in str(trimtab.diagnose(goes_on))
