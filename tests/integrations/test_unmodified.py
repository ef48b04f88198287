"""`trimtab run` on scripts for Lightning and for Hugging Face that know nothing of trimtab."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

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


def weights_and_diagnosis(folder: Path, kind: str) -> tuple[str, str, dict[str, Any]]:
    """The last line of stdout by python and by `trimtab run`, and the diagnosis."""
    settings = {"PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PYTEST"))}
    watched = ["-m", "trimtab", "run", "--json", "diagnosis.json"]
    both = [
        subprocess.Popen(
            [sys.executable, *words, "train.py", kind],
            cwd=folder,
            env={**kept, **settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for words in ([], watched)
    ]
    plain, seen = (process.communicate(timeout=100)[0].splitlines()[-1] for process in both)
    return plain, seen, json.loads((folder / "diagnosis.json").read_text())


@pytest.mark.parametrize(
    ("script", "kind", "status", "code", "layers"),
    [
        (LIGHTNING, "sick", "sick", "TT301", ["encoder.0", "encoder.2"]),
        (LIGHTNING, "healthy", "healthy", None, []),
        (HUGGINGFACE, "sick", "sick", "TT401", ["AdamW"]),
        (HUGGINGFACE, "healthy", "healthy", None, []),
    ],
    ids=["lightning-sick", "lightning-healthy", "huggingface-sick", "huggingface-healthy"],
)
def test_a_script_trains_as_before_and_is_judged_rightly(
    tmp_path: Path, script: str, kind: str, status: str, code: str | None, layers: list[str]
) -> None:
    (tmp_path / "train.py").write_text(script)
    plain, seen, diagnosis = weights_and_diagnosis(tmp_path, kind)
    assert plain == seen
    assert diagnosis["status"] == status, diagnosis
    assert "TT901" not in [finding["code"] for finding in diagnosis["findings"]]
    roots = [finding for finding in diagnosis["findings"] if finding["root"]]
    assert [root["code"] for root in roots[:1]] == ([code] if code else [])
    assert not roots or roots[0]["where"][: len(layers)] == layers
