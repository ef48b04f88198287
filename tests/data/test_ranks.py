"""Statistics over processes, on gloo: those of the whole data on every rank, the same bits."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.multiprocessing.spawn import spawn

from trimtab.data import Standardizer

ROWS = 101
WORLD = 3


def data() -> torch.Tensor:
    return 1e4 + torch.randn(ROWS, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def work(rank: int, folder: str) -> None:
    """Rank 0 has most rows, rank 1 the rest, rank 2 none."""
    import torch.distributed as dist

    dist.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=WORLD)
    x = data()
    own = [x[:90].split(8), x[90:].split(5), []][rank]
    fitted = Standardizer(unbiased=True).fit(own, all_reduce=True)
    streamed = Standardizer()
    for batch in own:
        streamed.update(batch)
    streamed.all_reduce()
    message = ""
    try:
        Standardizer().update(torch.zeros(2, 2 + rank % 2)).all_reduce()
    except ValueError as error:
        message = str(error)
    torch.save([fitted.state_dict(), streamed.state_dict(), message], f"{folder}/{rank}.pt")
    dist.destroy_process_group()


@pytest.mark.skipif(sys.platform == "win32", reason="gloo's file store")
def test_all_reduce_over_processes(tmp_path: Path) -> None:
    spawn(work, (str(tmp_path),), nprocs=WORLD)
    results = [torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(WORLD)]
    exact = data().numpy()
    for result in results:
        for state, first in zip(result[:2], results[0][:2], strict=True):
            assert all(torch.equal(value, first[name]) for name, value in state.items())
            assert bool(state["frozen"]) and state["count"].tolist() == [ROWS] * 2
            np.testing.assert_allclose(state["mean"], exact.mean(0), rtol=1e-14)
            np.testing.assert_allclose(state["m2"] / ROWS, exact.var(0), rtol=1e-10)
        assert "different numbers of features, by rank {0: 2, 1: 3, 2: 2}" in result[2]


def test_without_a_process_group_it_only_freezes() -> None:
    standardizer = Standardizer().update(data()).all_reduce()
    assert bool(standardizer.frozen)
    np.testing.assert_allclose(standardizer.mean, data().numpy().mean(0), rtol=1e-14)
