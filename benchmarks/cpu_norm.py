"""The native moments and normalisations against torch's on the CPU.

    python benchmarks/cpu_norm.py [--rounds N] [--threads N] [--only NAME …]

Method. Both sides of a row live in one process and take turns on the same arrays; a table gives medians over the
rounds. Results of over 32 MB are page-faulted anew at each call by the default allocator: with
MALLOC_MMAP_THRESHOLD_=4294967296 and MALLOC_TRIM_THRESHOLD_=8589934592 in the environment pages are kept, and the table
says which it was. Beside a row stands what memory allows: a copy of the array, or its sum.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable

import torch
from timing import Side, medians
from torch import Tensor

from trimtab.kernels import batch_norm, layer_norm, moments, native

aten = torch.ops.aten
EPS = 1e-5


def layer(rows: int, width: int) -> dict[str, dict[str, Side]]:
    """Layer normalisation of rows."""
    x, dy, weight, bias = torch.randn(rows, width), torch.randn(rows, width), torch.randn(width), torch.randn(width)
    mine, shape = layer_norm.forward(x, weight, bias), [width]
    assert mine is not None
    saved = aten.native_layer_norm(x, shape, weight, bias, EPS)[1:]
    forward: dict[str, Side] = {
        "ours": lambda: layer_norm.forward(x, weight, bias, eps=EPS),
        "torch": lambda: aten.native_layer_norm(x, shape, weight, bias, EPS),
        "copy": lambda: x.clone(),
    }
    backward: dict[str, Side] = {
        "ours": lambda: layer_norm.backward(dy, x, weight, mine[1:]),
        "torch": lambda: aten.native_layer_norm_backward(dy, x, shape, *saved, weight, bias, [True] * 3),
    }
    return {"forward": forward, "forward and backward": both(forward, backward)}


def batch(*shape: int, memory_format: torch.memory_format = torch.contiguous_format) -> dict[str, dict[str, Side]]:
    """Batch normalisation."""
    x, dy = (torch.randn(shape).to(memory_format=memory_format) for _ in range(2))
    weight, bias, mean, variance = torch.randn(4, shape[1]).abs()
    mine = batch_norm.forward(x, weight, bias)
    assert mine is not None
    saved = aten.native_batch_norm(x, weight, bias, mean, variance, True, 0.1, EPS)[1:]
    forward: dict[str, Side] = {
        "ours": lambda: batch_norm.forward(x, weight, bias, EPS),
        "torch": lambda: aten.native_batch_norm(x, weight, bias, mean, variance, True, 0.1, EPS),
        "copy": lambda: x.clone(),
    }
    backward: dict[str, Side] = {
        "ours": lambda: batch_norm.backward(dy, x, weight, mine[1:4]),
        "torch": lambda: aten.native_batch_norm_backward(dy, x, weight, mean, variance, *saved, True, EPS, [True] * 3),
    }
    evaluation: dict[str, Side] = {
        "ours": lambda: batch_norm.evaluate(x, mean, variance, weight, bias),
        "torch": lambda: aten.native_batch_norm(x, weight, bias, mean, variance, False, 0.1, EPS),
    }
    return {"forward": forward, "forward and backward": both(forward, backward), "evaluation": evaluation}


def both(forward: dict[str, Side], backward: dict[str, Side]) -> dict[str, Side]:
    """One after the other."""
    return {name: lambda name=name: (forward[name](), backward[name]()) for name in backward}


def numbers(*shape: int, dim: int | None = None) -> dict[str, dict[str, Side]]:
    """The eight numbers of all values, or of each index of dimension `dim`."""
    x = torch.randn(shape)
    dims = [d for d in range(x.ndim) if d != dim]

    def by_torch() -> list[Tensor]:
        finite = x.isfinite()
        variance, mean = torch.var_mean(x, dims, correction=0)
        extremes = [x.amin(dims), x.amax(dims)]
        return [finite.sum(dims), mean, variance, *extremes, *(c.sum(dims) for c in (x == 0, ~finite, x.abs() >= 4.0))]

    return {
        "eight numbers": {
            "ours": lambda: moments.measure(x, dim, 4.0),
            "torch": by_torch,
            "sum": lambda: x.sum(),
        }
    }


CASES: dict[str, Callable[[], dict[str, dict[str, Side]]]] = {
    "layer norm 8192×1024": lambda: layer(8192, 1024),
    "layer norm 4096×4096": lambda: layer(4096, 4096),
    "batch norm 64×64×56×56 NCHW": lambda: batch(64, 64, 56, 56),
    "batch norm 64×64×56×56 NHWC": lambda: batch(64, 64, 56, 56, memory_format=torch.channels_last),
    "batch norm 1024×1024": lambda: batch(1024, 1024),
    "moments of 100 M": lambda: numbers(100_000_000),
    "moments of 1 M × 100, by column": lambda: numbers(1_000_000, 100, dim=1),
    "moments of 100×100×10,000, by channel": lambda: numbers(100, 100, 10_000, dim=1),
}


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--only", nargs="*", metavar="WORD", help='rows whose name has one of these, as "NHWC"')
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    pages = "kept" if "MALLOC_MMAP_THRESHOLD_" in os.environ else "by the default allocator"
    print(f"{native.isa()}, {args.threads} threads, torch {torch.__version__}, pages {pages}\n")
    print("| what | ours ms | torch ms | times ours | beside it ms |\n|---|---|---|---|---|", flush=True)
    for name, make in CASES.items():
        if args.only and not any(word in name for word in args.only):
            continue
        for what, sides in make().items():
            found = medians(sides, args.rounds)
            ours, theirs = found.pop("ours"), found.pop("torch")
            beside = ", ".join(f"{side} {1e3 * seconds:.2f}" for side, seconds in found.items())
            cells = [f"{name}, {what}", f"{1e3 * ours:.2f}", f"{1e3 * theirs:.2f}", f"{theirs / ours:.2f}", beside]
            print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
