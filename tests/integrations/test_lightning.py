"""The callback in a real Lightning trainer, on a tiny model."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from trimtab.core.errors import TrimtabError
from trimtab.core.signal import GRAD_RMS, GRAD_USED_RMS
from trimtab.integrations.lightning import TrimtabCallback


class Classifier(L.LightningModule):
    """Six layers, called from `training_step` and not from `forward`; `fail` is raised at the third batch."""

    def __init__(self, activation: type[nn.Module] = nn.ReLU, manual: bool = False, fail: type | None = None) -> None:
        super().__init__()
        torch.manual_seed(0)
        hidden = [part for _ in range(6) for part in (nn.Linear(16, 16), activation())]
        self.model = nn.Sequential(nn.Linear(8, 16), activation(), nn.Dropout(0.1), *hidden, nn.Linear(16, 3))
        self.temperature = nn.Parameter(torch.ones(()))
        self.automatic_optimization, self.fail = not manual, fail

    def training_step(self, batch: Any, index: int) -> Any:
        x, y = batch
        if self.fail is not None and index == 3:
            raise self.fail()
        loss = F.cross_entropy(self.model(x) * self.temperature, y)
        if self.automatic_optimization:
            return loss
        optimizer: Any = self.optimizers()
        optimizer.zero_grad()
        self.manual_backward(loss)
        self.clip_gradients(optimizer, gradient_clip_val=0.5)
        optimizer.step()
        return None

    def validation_step(self, batch: Any, index: int) -> None:
        self.log("accuracy", (self.model(batch[0]).argmax(1) == batch[1]).float().mean())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=3e-3)


def fit(model: Classifier, callback: Any = None, **options: Any) -> list[torch.Tensor]:
    """Train with shuffled batches and validation; gives the weights and the next random numbers."""
    torch.manual_seed(1)
    x = torch.randn(256, 8)
    data = TensorDataset(x, x[:, :3].argmax(1))
    names = ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary")
    settings = {**dict.fromkeys(names, False), "max_epochs": 5, **options}
    trainer: Any = L.Trainer(accelerator="cpu", callbacks=[callback] if callback else None, **settings)
    trainer.fit(model, DataLoader(data, 16, shuffle=True), DataLoader(data, 64))
    return [*(p.detach().clone() for p in model.parameters()), torch.rand(4)]


WAYS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "automatic": ({}, {}),
    "clipped": ({}, {"gradient_clip_val": 0.5}),
    "accumulated": ({}, {"accumulate_grad_batches": 4}),
    "bfloat16": ({}, {"precision": "bf16-mixed"}),
    "manual": ({"manual": True}, {}),
}


@pytest.mark.parametrize("way", WAYS)
def test_training_is_bitwise_the_same(way: str) -> None:
    model, trainer = WAYS[way]
    callback = TrimtabCallback(show=False)
    plain, watched = fit(Classifier(**model), **trainer), fit(Classifier(**model), callback, **trainer)
    assert all(torch.equal(a, b) for a, b in zip(plain, watched, strict=True))
    assert callback.diagnosis is not None and callback.trace is not None
    assert callback.diagnosis.status == "healthy"
    assert callback.diagnosis.steps == (20 if way == "accumulated" else 80)
    assert not [event for event in callback.trace.events if event.kind == "unseen"]


def test_the_root_cause_names_layers_as_the_module_does(capsys: pytest.CaptureFixture[str]) -> None:
    callback = TrimtabCallback()
    fit(Classifier(nn.Sigmoid), callback)
    assert callback.diagnosis is not None
    assert callback.diagnosis.roots[0].code == "TT301"
    assert callback.diagnosis.roots[0].where[0] == "model.0"
    assert "SICK after 80 steps: vanishing gradient" in capsys.readouterr().err


def test_every_parameter_has_its_name() -> None:
    callback = TrimtabCallback(show=False)
    model = Classifier()
    fit(model, callback)
    assert callback.trace is not None
    assert {site.name for site in callback.trace.of("parameter")} == {name for name, _ in model.named_parameters()}


def test_clipping_by_the_trainer_is_seen() -> None:
    callback = TrimtabCallback(show=False)
    fit(Classifier(), callback, gradient_clip_val=1e-4)
    assert callback.trace is not None
    before, used = callback.trace[GRAD_RMS], callback.trace[GRAD_USED_RMS]
    assert (used[:5] < 0.1 * before[:5]).all()


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Lightning switches Ctrl-C off when it has come."""
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize(
    ("raised", "passed_on", "word"),
    [
        (ZeroDivisionError, ZeroDivisionError, "the script raised"),
        (KeyboardInterrupt, SystemExit, "it was interrupted"),
    ],
)
def test_a_training_that_is_cut_short_is_diagnosed(
    raised: type, passed_on: type[BaseException], word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    callback = TrimtabCallback()
    with pytest.raises(passed_on):
        fit(Classifier(fail=raised), callback)
    assert callback.diagnosis is not None and callback.diagnosis.steps == 3
    assert f"until {word}" in capsys.readouterr().err


def test_each_fit_has_a_diagnosis_of_its_own(tmp_path: Path) -> None:
    callback = TrimtabCallback(show=False, record=tmp_path / "run.db", html=tmp_path / "report.html")
    fit(Classifier(), callback)
    first = callback.diagnosis
    fit(Classifier(), callback, max_epochs=1)
    assert first is not None and callback.diagnosis is not None
    assert (first.steps, callback.diagnosis.steps) == (80, 16)
    assert callback.diagnosis.record == str(tmp_path / "run.db")
    assert "<html" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_the_bar_is_raised_after_the_training() -> None:
    with pytest.raises(TrimtabError, match=r"^SICK after 80 steps: vanishing gradient.*fail_on='warn'"):
        fit(Classifier(nn.Sigmoid), TrimtabCallback(show=False, fail_on="warn"))
    fit(Classifier(), TrimtabCallback(show=False, fail_on="warn"), max_epochs=1)


def test_other_processes_keep_quiet(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    callback = TrimtabCallback()
    monkeypatch.setattr(L.Trainer, "is_global_zero", False)
    fit(Classifier(), callback, max_epochs=1)
    assert callback.diagnosis is None
    assert "steps" not in capsys.readouterr().err


@pytest.mark.parametrize("options", [{"fail_on": "note"}, {"select": ["TT7"]}, {"html": "no/such/folder.html"}])
def test_what_cannot_be_fulfilled_is_refused_at_once(options: dict[str, Any]) -> None:
    with pytest.raises(TrimtabError):
        TrimtabCallback(**options)
