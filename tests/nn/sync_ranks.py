"""One rank of three on gloo: runs every case of `CASES` on its part of the batch and saves what came out."""

from __future__ import annotations

import datetime
import sys
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.autograd import forward_ad

from trimtab.nn import SyncBatchNorm

RANKS = 3
# name: sizes of the ranks' batches, shape of an example, type, options, offset of the data
CASES: dict[str, tuple[tuple[int, ...], tuple[int, ...], torch.dtype, dict[str, Any], float]] = {
    "even": ((4, 4, 4), (2,), torch.float64, {}, 0.0),
    "ragged": ((5, 1, 3), (2, 3, 2), torch.float64, {}, 0.0),
    "empty rank": ((3, 0, 2), (2,), torch.float64, {"momentum": None}, 0.0),
    "unbiased": ((2, 3, 4), (2,), torch.float64, {"variance": "unbiased", "running_variance": "biased"}, 0.0),
    "far from zero": ((50, 0, 70), (2, 4), torch.float32, {}, 1e4),
    "bfloat16": ((8, 3, 5), (2, 4), torch.bfloat16, {}, 0.0),
    "no parameters": ((2, 3, 4), (2,), torch.float64, {"affine": False, "track_running_stats": False}, 0.0),
}
COMPILED = ("ragged", "empty rank")  # a compilation takes seconds on each rank


def parts_of(case: str) -> tuple[list[Tensor], list[Tensor]]:
    """Every rank's input and output gradient."""
    sizes, example, dtype, _, offset = CASES[case]
    generator = torch.Generator().manual_seed(len(case))
    x, dy = (torch.randn(sum(sizes), *example, generator=generator) for _ in range(2))
    return list((x + offset).to(dtype).split(sizes)), list(dy.to(dtype).split(sizes))


def with_parameters(layer: Any) -> Any:
    """The layer with γ and κ that are not 1 and 0."""
    for i, parameter in enumerate(layer.parameters()):
        nn.init.constant_(parameter, 0.5 + i)
    return layer.double() if layer.weight is not None else layer


def results(layer: Any, x: Tensor, dy: Tensor) -> dict[str, Any]:
    """Output, first and second derivative, and what the layer holds afterwards."""
    x = x.clone().requires_grad_()
    y = layer(x)
    (gradient,) = torch.autograd.grad(y, x, dy, create_graph=True)
    y.backward(dy, retain_graph=True)
    first = [t.grad.clone() for t in (x, *layer.parameters()) if t.grad is not None]
    gradient.square().sum().backward()
    assert x.grad is not None
    return {"y": y.detach(), "first": first, "second": x.grad - first[0], "state": layer.state_dict()}


def tangents(layer: Any, x: Tensor, dy: Tensor) -> dict[str, Any]:
    """How output and input gradient move when x, γ and κ move, by forward mode alone and over reverse mode."""
    x_t, held = dy.flip(-1).contiguous(), dict(layer.named_parameters())
    with forward_ad.dual_level():
        moving = {name: forward_ad.make_dual(p.detach(), torch.full_like(p, 0.5)) for name, p in held.items()}
        y = torch.func.functional_call(layer, moving, (forward_ad.make_dual(x, x_t),))
        first = forward_ad.unpack_dual(y).tangent
    with forward_ad.dual_level():
        leaf = x.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(layer(forward_ad.make_dual(leaf, x_t)), leaf, dy)
        second = forward_ad.unpack_dual(gradient).tangent
    return {"forward": first, "forward over reverse": second}


def as_one_graph(layer: Any) -> Any:
    torch._dynamo.reset()
    return torch.compile(layer, backend="aot_eager", fullgraph=True)


def compiled(layer: Any, x: Tensor, dy: Tensor) -> dict[str, Any]:
    """Output, derivatives and state of the layer as one graph."""
    leaf = x.clone().requires_grad_()
    y = as_one_graph(layer)(leaf)
    y.backward(dy)
    first = [t.grad for t in (leaf, *layer.parameters())]
    return {"y": y.detach(), "first": first, "state": layer.state_dict()}


LOOKS = {"eager": results, "tangents": tangents, "compiled": compiled}


def by_function_transforms(layer: Any, x: Tensor) -> dict[str, Tensor]:
    """Derivatives of a layer without running estimates by `torch.func`."""

    def loss(x: Tensor) -> Tensor:
        return layer(x).pow(3).sum()

    stacked = torch.stack([x, 2 * x.flip(-1)])
    return {
        "grad": torch.func.grad(loss)(x),
        "jvp of grad": torch.func.jvp(torch.func.grad(loss), (x,), (x.flip(-1),))[1],
        "vmap": torch.func.vmap(layer)(stacked).detach(),
        "vmap of grad": torch.func.vmap(torch.func.grad(loss))(stacked),
    }


def error_of(layer: Any, x: Tensor) -> str:
    try:
        layer(x)
    except ValueError as error:
        return str(error)
    return "none"


def others(rank: int) -> dict[str, Any]:
    """Cases that are not input and output gradient."""
    found: dict[str, Any] = {}
    one = torch.ones(1 if rank == 1 else 0, 3)
    found["single raise"] = error_of(SyncBatchNorm(3), one)
    found["single raise, compiled"] = error_of(as_one_graph(SyncBatchNorm(3)), one)
    for name, form in (("single running", lambda layer: layer), ("single running, compiled", as_one_graph)):
        layer: Any = SyncBatchNorm(3, single="running")
        found[name] = form(layer)(one).detach()
        found[name + ", counted"] = layer.num_batches_tracked.item()
    found["all empty"] = SyncBatchNorm(3)(torch.empty(0, 3)).shape
    pair = dist.new_group([0, 1])
    layer = SyncBatchNorm(3, momentum=1.0, process_group=pair if rank < 2 else None)
    if rank < 2:
        layer(torch.full((2, 3), float(rank)))
        found["pair"] = layer.running_mean
    torch.manual_seed(0)
    model = SyncBatchNorm.convert_sync_batchnorm(nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1)))
    parallel = nn.parallel.DistributedDataParallel(model)
    parallel(data_for_ddp().chunk(RANKS)[rank]).square().mean().backward()
    found["ddp"] = [p.grad for p in model.parameters()]
    return found


def x_of_even(rank: int) -> Tensor:
    return parts_of("even")[0][rank]


def data_for_ddp() -> Tensor:
    return torch.randn(12, 3, generator=torch.Generator().manual_seed(5)).cumsum(0)


def main(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    store = dist.FileStore(f"{folder}/store", RANKS)  # pyright: ignore[reportPrivateImportUsage]
    dist.init_process_group("gloo", store=store, rank=rank, world_size=RANKS, timeout=datetime.timedelta(seconds=200))
    found: dict[Any, Any] = {}
    for case, (_, _, _, options, _) in CASES.items():
        x, dy = parts_of(case)
        for what, look in LOOKS.items():
            if what != "compiled" or case in COMPILED:
                found[what, case] = look(with_parameters(SyncBatchNorm(2, **options)), x[rank], dy[rank])
    found["transforms"] = by_function_transforms(SyncBatchNorm(2, track_running_stats=False).double(), x_of_even(rank))
    found["others"] = others(rank)
    torch.save(found, f"{folder}/{rank}.pt")
    dist.destroy_process_group()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
