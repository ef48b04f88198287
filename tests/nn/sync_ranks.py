"""One rank of three on gloo: runs every case of `CASES` on its part of the batch and saves what came out."""

from __future__ import annotations

import datetime
import sys
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

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
    found["single running"] = SyncBatchNorm(3, single="running")(one).detach()
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


def data_for_ddp() -> Tensor:
    return torch.randn(12, 3, generator=torch.Generator().manual_seed(5)).cumsum(0)


def main(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    store = dist.FileStore(f"{folder}/store", RANKS)  # pyright: ignore[reportPrivateImportUsage]
    dist.init_process_group("gloo", store=store, rank=rank, world_size=RANKS, timeout=datetime.timedelta(seconds=60))
    found: dict[str, Any] = {}
    for case, (_, _, _, options, _) in CASES.items():
        x, dy = parts_of(case)
        found[case] = results(with_parameters(SyncBatchNorm(2, **options)), x[rank], dy[rank])
    found["others"] = others(rank)
    torch.save(found, f"{folder}/{rank}.pt")
    dist.destroy_process_group()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
