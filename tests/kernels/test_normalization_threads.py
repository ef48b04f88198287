"""Moments and normalisations on any number of threads, and on any instruction set."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor

from trimtab.kernels import batch_norm, layer_norm, moments, native

PROGRAM = """
import sys, torch
sys.path.insert(0, {folder!r})
from test_normalization_threads import everything
from trimtab.kernels import native
print(native.isa())
torch.save(everything({dtype}), {out!r})
"""


def everything(dtype: torch.dtype) -> list[Tensor]:
    """What all kernels make of arrays that are cut into several chunks."""
    draw = torch.Generator().manual_seed(0)
    found: list[Tensor] = []
    for shape in ((3000, 100), (7, 3, 300, 301), (2, 40, 100, 10), (4000, 5, 2)):
        x, dy = torch.randn(2, *shape, generator=draw).to(dtype)
        weight, bias = torch.randn(2, shape[1], generator=draw)
        gamma, kappa = torch.randn(2, shape[-1], generator=draw)
        batch = batch_norm.forward(x, weight, bias)
        layer = layer_norm.forward(x, gamma, kappa)
        all_of_it, by_channel = moments.measure(x, limit=2.0), moments.measure(x, 1, limit=2.0)
        assert batch and layer and all_of_it and by_channel
        backwards = batch_norm.backward(dy, x, weight, batch[1:4]), layer_norm.backward(dy, x, gamma, layer[1:])
        assert backwards[0] and backwards[1]
        found += [*batch, *layer, *backwards[0], *backwards[1], *all_of_it, *by_channel]
    return found


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_number_of_threads_changes_no_bit(dtype: torch.dtype) -> None:
    before = torch.get_num_threads()
    try:
        results = []
        for n in (1, 2, 3, 16):
            torch.set_num_threads(n)
            results.append(everything(dtype))
    finally:
        torch.set_num_threads(before)
    for other in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(results[0], other, strict=True))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("asked", ["baseline", "avx2"])
def test_narrower_registers_give_the_same_to_rounding(asked: str, dtype: torch.dtype, tmp_path: Path) -> None:
    if native.isa() == "baseline" and asked == "avx2":
        pytest.skip("this processor has no AVX2")
    out = tmp_path / "found.pt"
    program = PROGRAM.format(folder=str(Path(__file__).parent), dtype=dtype, out=str(out))
    environment = {**os.environ, "TRIMTAB_ISA": asked}
    ran = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert ran.stdout.split() == [asked], ran.stderr
    for ours, theirs in zip(everything(dtype), torch.load(out), strict=True):
        rounding = {torch.float64: 1e-12, torch.float32: 3e-6}.get(dtype, 1e-2)
        torch.testing.assert_close(ours, theirs, rtol=rounding, atol=rounding * max(1.0, float(ours.abs().max())))
