"""The callback in a real Hugging Face trainer, on a model of two layers that is built from its configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments

from trimtab.core.signal import GRAD_RMS, GRAD_USED_RMS
from trimtab.integrations.huggingface import TrimtabCallback


def examples(count: int) -> list[dict[str, Any]]:
    tokens = torch.randint(3, 40, (count, 6), generator=torch.Generator().manual_seed(1))
    return [{"input_ids": row, "labels": int(row[0] > 20)} for row in tokens]


def trainer(folder: Path, callback: Any = None, fail: type[BaseException] | None = None, **options: Any) -> Trainer:
    """A trainer with gradient accumulation, clipping and evaluations; `fail` is raised in the third batch."""
    torch.manual_seed(0)
    sizes: dict[str, Any] = {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 32,
    }
    config: Any = BertConfig(vocab_size=40, max_position_embeddings=8, initializer_range=0.2, **sizes)
    settings: dict[str, Any] = {
        "max_steps": 40,
        "gradient_accumulation_steps": 2,
        "max_grad_norm": 1.0,
        "learning_rate": 3e-3,
        "eval_strategy": "steps",
        "eval_steps": 15,
        **options,
    }
    arguments = TrainingArguments(
        str(folder / "out"), report_to="none", save_strategy="no", use_cpu=True, disable_tqdm=True, **settings
    )
    made = Trainer(
        BertForSequenceClassification(config),
        arguments,
        train_dataset=examples(640),  # pyright: ignore[reportArgumentType]
        eval_dataset=examples(16),  # pyright: ignore[reportArgumentType]
        callbacks=[callback] if callback else None,
    )
    if fail is not None:
        made.training_step = _failing(made.training_step, fail)
    return made


def _failing(step: Any, error: type[BaseException]) -> Any:
    calls: list[int] = []

    def training_step(*args: Any, **kwargs: Any) -> Any:
        calls.append(len(calls))
        if len(calls) == 5:
            raise error
        return step(*args, **kwargs)

    return training_step


def weights(made: Trainer) -> list[torch.Tensor]:
    return [*(p.detach() for p in made.model.parameters()), torch.rand(4)]  # pyright: ignore


@pytest.mark.parametrize("options", [{}, {"bf16": True}], ids=["float32", "bfloat16"])
def test_training_is_bitwise_the_same(options: dict[str, Any], tmp_path: Path) -> None:
    callback = TrimtabCallback(show=False)
    plain = trainer(tmp_path, **options)
    plain.train()
    expected = weights(plain)
    watched = trainer(tmp_path, callback, **options)
    watched.train()
    assert all(torch.equal(a, b) for a, b in zip(expected, weights(watched), strict=True))
    assert callback.diagnosis is not None and callback.trace is not None
    assert (callback.diagnosis.status, callback.diagnosis.steps) == ("healthy", 40)
    assert not [event for event in callback.trace.events if event.kind == "unseen"]
    names = {site.name for site in callback.trace.of("layer")}
    assert {"bert.encoder.layer.0.attention.self.query", "classifier"} <= names


def test_a_rate_far_too_high_is_found_and_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    callback = TrimtabCallback()
    trainer(tmp_path, callback, learning_rate=3.0).train()
    assert callback.diagnosis is not None
    assert callback.diagnosis.roots[0].code == "TT401"
    assert "SICK after 40 steps: learning rate too high" in capsys.readouterr().err


def test_clipping_by_the_trainer_is_seen(tmp_path: Path) -> None:
    callback = TrimtabCallback(show=False)
    trainer(tmp_path, callback, max_grad_norm=1e-4, max_steps=6).train()
    assert callback.trace is not None
    before, used = callback.trace[GRAD_RMS], callback.trace[GRAD_USED_RMS]
    reached = before[0] > 0
    assert (used[:, reached] < 0.1 * before[:, reached]).all()


@pytest.mark.parametrize(
    ("raised", "word"), [(ZeroDivisionError, "the script raised"), (KeyboardInterrupt, "it was interrupted")]
)
def test_a_training_that_is_cut_short_is_diagnosed(
    raised: type[BaseException], word: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    callback = TrimtabCallback()
    with pytest.raises(raised):
        trainer(tmp_path, callback, fail=raised).train()
    assert callback.diagnosis is not None and callback.diagnosis.steps == 2
    assert f"until {word}" in capsys.readouterr().err


def test_a_callback_added_later_serves_as_well(tmp_path: Path) -> None:
    callback, made = TrimtabCallback(show=False), trainer(tmp_path, max_steps=3)
    made.add_callback(callback)
    made.train()
    assert callback.diagnosis is not None and callback.diagnosis.steps == 3


def test_other_processes_keep_quiet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    callback = TrimtabCallback()
    made = trainer(tmp_path, callback, max_steps=1)
    monkeypatch.setattr(type(made), "is_world_process_zero", lambda self: False)
    made.train()
    assert callback.diagnosis is None
