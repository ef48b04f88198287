"""`trimtab run` on scripts for Lightning and for Hugging Face that know nothing of trimtab."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"

LIGHTNING = """
import sys
import lightning as L, torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

class Lit(L.LightningModule):
    def __init__(self, activation):
        super().__init__()
        hidden = [part for _ in range(8) for part in (nn.Linear(16, 16), activation())]
        self.encoder, self.head = nn.Sequential(*hidden), nn.Linear(16, 3)
    def training_step(self, batch, index):
        return nn.functional.cross_entropy(self.head(self.encoder(batch[0])), batch[1])
    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=3e-3)

L.seed_everything(0)
x = torch.randn(256, 16)
loader = DataLoader(TensorDataset(x, x[:, :3].argmax(1)), 16, shuffle=True)
model = Lit(nn.Sigmoid if sys.argv[1] == "sick" else nn.ReLU)
L.Trainer(max_epochs=4, accelerator="cpu", logger=False, enable_checkpointing=False,
          enable_progress_bar=False, enable_model_summary=False, gradient_clip_val=1.0).fit(model, loader)
print(*(p.double().sum().item() for p in model.parameters()))
"""

HUGGINGFACE = """
import sys
import torch
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments

torch.manual_seed(0)
model = GPT2LMHeadModel(GPT2Config(vocab_size=20, n_positions=8, n_embd=32, n_layer=2, n_head=2))
starts = torch.randint(0, 20, (256,)).tolist()
rows = [torch.arange(first, first + 8) % 20 for first in starts]
arguments = TrainingArguments("out", max_steps=40, learning_rate=3.0 if sys.argv[1] == "sick" else 3e-3,
                              gradient_accumulation_steps=2, eval_strategy="steps", eval_steps=20, report_to="none",
                              save_strategy="no", use_cpu=True, disable_tqdm=True, logging_strategy="no")
data = [{"input_ids": row, "labels": row} for row in rows]
Trainer(model, arguments, train_dataset=data, eval_dataset=data[:8]).train()
print(*(p.double().sum().item() for p in model.parameters()))
"""


WATCHED = ("-m", "trimtab", "run", "--json", "diagnosis.json")


def weights(folder: Path, *words: str) -> str:
    """The last line of what `python *words` prints."""
    settings = {"PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PYTEST"))}
    done = subprocess.run(
        [sys.executable, *words], cwd=folder, env={**kept, **settings}, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()[-1]


@pytest.mark.slow
@pytest.mark.parametrize("script", [LIGHTNING, HUGGINGFACE], ids=["lightning", "huggingface"])
def test_a_healthy_script_trains_as_before_and_stays_healthy(tmp_path: Path, script: str) -> None:
    (tmp_path / "train.py").write_text(script)
    assert weights(tmp_path, *WATCHED, "train.py", "healthy") == weights(tmp_path, "train.py", "healthy")
    diagnosis = json.loads((tmp_path / "diagnosis.json").read_text())
    assert (diagnosis["status"], diagnosis["findings"]) == ("healthy", [])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "code", "where"),
    [(LIGHTNING, "TT301", ["encoder.0", "encoder.2"]), (HUGGINGFACE, "TT401", ["AdamW"])],
    ids=["lightning", "huggingface"],
)
def test_the_root_cause_of_a_sick_script_is_named(tmp_path: Path, script: str, code: str, where: list[str]) -> None:
    (tmp_path / "train.py").write_text(script)
    weights(tmp_path, *WATCHED, "train.py", "sick")
    findings = json.loads((tmp_path / "diagnosis.json").read_text())["findings"]
    (root, *_) = (finding for finding in findings if finding["root"])
    assert (root["code"], root["where"][: len(where)]) == (code, where)
    assert "TT901" not in [finding["code"] for finding in findings]
