"""The native step against torch's on the CPU: clip by norm, step, average of the weights.

    python benchmarks/cpu.py [--rounds N] [--threads N] [--only NAME …]

Method. All sides of a row live in one process and take turns, in rotating order, on the same parameters and gradients,
with state of their own; a table gives medians over the rounds. Beside them the same memory is moved with next to no
arithmetic, four arrays read and three written in place: the bandwidth of that is the ceiling. A step with clip and
average moves 40 bytes a float32 parameter: 4 to measure the norm, then five arrays read and four written.
"""

from __future__ import annotations

import argparse
import ctypes
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import torch
from timing import Side, medians
from torch.nn.utils import clip_grad_norm_
from torch.optim.swa_utils import AveragedModel, get_ema_avg_fn, get_ema_multi_avg_fn

from trimtab import optim
from trimtab.average import EMA
from trimtab.clip import ClipByNorm
from trimtab.kernels import native
from trimtab.kernels.build import FLAGS, NUMERICS, SOURCES

DECAY = 0.999
MAX_NORM = 1.0


class Model(torch.nn.Module):
    """Parameters of given shapes, with gradients."""

    def __init__(self, shapes: Sequence[tuple[int, ...]]) -> None:
        super().__init__()
        self.params = torch.nn.ParameterList(torch.randn(shape) * 0.02 for shape in shapes)
        for p in self.params:
            p.grad = torch.randn_like(p) * 1e-3


def gpt_like(width: int = 672, layers: int = 12) -> list[tuple[int, ...]]:
    """148 tensors, 99 M parameters."""
    block = [(width,), (width,), (3 * width, width), (3 * width,), (width, width), (width,)]
    block += [(width,), (width,), (4 * width, width), (4 * width,), (width, 4 * width), (width,)]
    return [(50257, width), (1024, width), *block * layers, (width,), (width,)]


SHAPES = {
    "gpt": gpt_like(),
    "5000x20k": [(20_000,)] * 5000,
    "5000x16": [(16,)] * 5000,
}


def ours(model: Model, kind: Callable[..., torch.optim.Optimizer], **options: float) -> Side:
    """One step, with clipping and average inside."""
    return kind(model.params, clip=ClipByNorm(MAX_NORM), average=EMA(DECAY), **options).step


def torch_side(model: Model, optimizer: torch.optim.Optimizer, average: AveragedModel, foreach: bool | None) -> None:
    """What a script writes."""
    clip_grad_norm_(list(model.params), MAX_NORM, foreach=foreach)
    optimizer.step()
    average.update_parameters(model)


def best(model: Model, optimizer: torch.optim.Optimizer) -> Side:
    """Torch's best: everything over lists of tensors."""
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(DECAY))
    return partial(torch_side, model, optimizer, average, True)


def default(model: Model, optimizer: torch.optim.Optimizer) -> Side:
    """Torch as it comes."""
    return partial(torch_side, model, optimizer, AveragedModel(model, avg_fn=get_ema_avg_fn(DECAY)), None)


def adam(model: Model) -> dict[str, Side]:
    """40 bytes a parameter."""
    return {
        "ours": ours(model, optim.Adam),
        "torch best": best(model, torch.optim.Adam(model.params, fused=True)),
        "torch defaults": default(model, torch.optim.Adam(model.params)),
    }


def rmsprop(model: Model) -> dict[str, Side]:
    """32 bytes a parameter; torch has no fused form."""
    return {
        "ours": ours(model, optim.RMSprop, lr=1e-3),
        "torch best": best(model, torch.optim.RMSprop(model.params, 1e-3, foreach=True)),
    }


def momentum(model: Model) -> dict[str, Side]:
    """32 bytes a parameter."""
    return {
        "ours": ours(model, optim.SGD, lr=1e-3, momentum=0.9),
        "torch best": best(model, torch.optim.SGD(model.params, 1e-3, momentum=0.9, fused=True)),
        "torch foreach": best(model, torch.optim.SGD(model.params, 1e-3, momentum=0.9, foreach=True)),
    }


def backward(model: Model) -> dict[str, Side]:
    """Adam after something that writes all gradients one by one, as backward does: ours measures each as it is written.

    The writing alone is a side too, to be taken from the others.
    """
    measuring, reading = optim.Adam(model.params, clip=ClipByNorm(MAX_NORM), average=EMA(DECAY)), adam(model)
    measure = measuring.measure_in_backward()._measure

    def written(each: Callable[[torch.Tensor], object], then: Side) -> Side:
        def side() -> None:
            for p in model.params:
                assert p.grad is not None
                p.grad.mul_(1.0)
                each(p)
            then()

        return side

    def nothing(*_: torch.Tensor) -> None: ...

    return {
        "ours": written(measure, measuring.step),
        "ours, measured in the step": written(nothing, reading["ours"]),
        "torch best": written(nothing, reading["torch best"]),
        "writing alone": written(nothing, nothing),
    }


METHODS = {"adam": (adam, 40), "backward": (backward, 0), "rmsprop": (rmsprop, 32), "momentum": (momentum, 32)}


def ceiling(elements: int) -> Side:
    """Moves 28 bytes for each of `elements`."""
    with tempfile.TemporaryDirectory() as folder:
        library = str(Path(folder) / "ceiling.so")
        sources = [Path(__file__).with_name("ceiling.cpp"), SOURCES / "team.cpp", SOURCES / "pool.cpp"]
        flags = [*FLAGS, *NUMERICS, "-march=native", f"-I{SOURCES}"]
        subprocess.run(["c++", *flags, *map(str, sources), "-o", library], check=True)
        core = ctypes.CDLL(library)
    native.join_team_of_torch(core)
    core.ceiling.argtypes = [*[native.ADDRESS] * 4, native.INTEGER, native.INTEGER]
    arrays = [torch.ones(elements) for _ in range(4)]  # zeros would share one page
    return lambda: core.ceiling(*[x.data_ptr() for x in arrays], elements, native.threads())


def rows(shape: str, method: str, rounds: int) -> list[str]:
    """Lines of the table: a side, its milliseconds, how many times ours, GB/s."""
    model = Model(SHAPES[shape])
    elements = sum(p.numel() for p in model.params)
    make, moved = METHODS[method]
    sides: dict[str, Side] = {**make(model)}
    large = elements > 10**7  # smaller ones are not a matter of memory
    if large and moved:
        sides["ceiling"] = ceiling(elements)
    found = medians(sides, rounds)
    lines = []
    for name, seconds in found.items():
        bandwidth = {"ours": moved, "ceiling": 28}.get(name, 0) * elements / seconds / 1e9 if large else 0
        note = f"{bandwidth:.1f} GB/s" if bandwidth else ""
        alone = found.get("writing alone", 0.0)
        ratio = f"{(seconds - alone) / (found['ours'] - alone):.2f}" if name != "ceiling" else ""
        lines.append(f"| {method} {shape} | {name} | {1e3 * seconds:.2f} | {ratio} | {note} |")
    return lines


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--only", nargs="*", metavar="METHOD-SHAPE", help='as "adam-gpt"; default: all')
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    print(f"{native.isa()}, {args.threads} threads, torch {torch.__version__}\n")
    print("| what | side | ms | times ours | memory |\n|---|---|---|---|---|", flush=True)
    for name in args.only or [f"{m}-{s}" for m in METHODS for s in SHAPES if m != "backward" or s == "gpt"]:
        method, _, shape = name.partition("-")
        print("\n".join(rows(shape, method, args.rounds)), flush=True)


if __name__ == "__main__":
    main()
