"""Three ranks on gloo against one batch norm on the concatenated batch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.nn.sync_ranks import (
    CASES,
    COMPILED,
    RANKS,
    by_function_transforms,
    data_for_ddp,
    parts_of,
    results,
    tangents,
    with_parameters,
    x_of_even,
)
from trimtab.nn import BatchNorm, BatchNorm1d, SyncBatchNorm

pytestmark = pytest.mark.timeout(300)  # three processes that import torch and compile, on a busy machine

Found = list[dict[Any, Any]]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    folder = tmp_path_factory.mktemp("ranks")
    root = Path(__file__).parents[2]
    command = [sys.executable, "-W", "ignore", "-m", "tests.nn.sync_ranks"]
    ranks = [
        subprocess.Popen([*command, str(rank), str(folder)], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for rank in range(RANKS)
    ]
    try:
        for rank in ranks:
            output, _ = rank.communicate(timeout=250)
            assert rank.returncode == 0, output.decode()
    finally:
        for rank in ranks:
            rank.kill()
            rank.communicate()
    return [torch.load(folder / f"{rank}.pt") for rank in range(RANKS)]


class Anyhow(BatchNorm):
    """Batch norm of any number of dimensions, in one process."""

    def _check_input_dim(self, input: Tensor) -> None:
        pass


def close(actual: Tensor, expected: Tensor, case: str) -> None:
    tolerance = {torch.float64: 1e-10, torch.float32: 1e-5, torch.bfloat16: 4e-2}[CASES[case][2]]
    torch.testing.assert_close(actual, expected, rtol=tolerance, atol=tolerance)


def whole_batch(case: str) -> tuple[BatchNorm, Tensor, Tensor]:
    """One layer, and the input and output gradient of all ranks together."""
    parts, gradients = parts_of(case)
    return with_parameters(Anyhow(2, **CASES[case][3])), torch.cat(parts), torch.cat(gradients)


@pytest.mark.parametrize(
    ("form", "case"), [("eager", case) for case in CASES] + [("compiled", case) for case in COMPILED]
)
def test_ranks_equal_the_concatenated_batch(found: Found, form: str, case: str) -> None:
    whole = results(*whole_batch(case))
    ranks = [each[form, case] for each in found]
    close(torch.cat([rank["y"] for rank in ranks]), whole["y"], case)
    close(torch.cat([rank["first"][0] for rank in ranks]), whole["first"][0], case)
    for i, expected in enumerate(whole["first"][1:], 1):  # of a parameter, each rank has its own part
        close(torch.stack([rank["first"][i] for rank in ranks]).sum(0), expected, case)
    for rank in ranks:
        for name, expected in whole["state"].items():
            close(rank["state"][name], expected, case)


@pytest.mark.parametrize("case", CASES)
def test_second_derivatives_are_those_of_the_concatenated_batch(found: Found, case: str) -> None:
    close(torch.cat([rank["eager", case]["second"] for rank in found]), results(*whole_batch(case))["second"], case)


@pytest.mark.filterwarnings("ignore:.*torch.jit.script.*:DeprecationWarning")
@pytest.mark.parametrize("case", CASES)
def test_forward_mode_is_that_of_the_concatenated_batch(found: Found, case: str) -> None:
    for what, expected in tangents(*whole_batch(case)).items():
        close(torch.cat([rank["tangents", case][what] for rank in found]), expected, case)


@pytest.mark.filterwarnings("ignore:.*torch.jit.script.*:DeprecationWarning")
def test_function_transforms_go_through_the_ranks(found: Found) -> None:
    layer = Anyhow(2, track_running_stats=False).double()
    x = torch.cat([x_of_even(rank) for rank in range(RANKS)])
    for what, expected in by_function_transforms(layer, x).items():
        dim = 1 if what.startswith("vmap") else 0
        torch.testing.assert_close(torch.cat([rank["transforms"][what] for rank in found], dim), expected)


@pytest.mark.parametrize("form", ["", ", compiled"])
def test_one_value_among_all_ranks_meets_the_policy_on_every_rank(found: Found, form: str) -> None:
    for rank in found:
        assert "more than 1 value per channel" in rank["others"]["single raise" + form]
        assert rank["others"][f"single running{form}, counted"] == 0
    outputs = [rank["others"]["single running" + form] for rank in found]
    assert [len(y) for y in outputs] == [0, 1, 0]
    torch.testing.assert_close(outputs[1], torch.ones(1, 3), rtol=1e-4, atol=0)


def test_all_ranks_may_be_empty(found: Found) -> None:
    assert all(rank["others"]["all empty"] == (0, 3) for rank in found)


def test_a_process_group_limits_who_takes_part(found: Found) -> None:
    assert [rank["others"]["pair"].tolist() for rank in found[:2]] == [[0.5] * 3] * 2


def test_under_ddp_gradients_are_those_of_the_whole_batch(found: Found) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), BatchNorm1d(4), nn.Linear(4, 1))
    model(data_for_ddp()).square().mean().backward()
    for rank in found:
        for gradient, parameter in zip(rank["others"]["ddp"], model.parameters(), strict=True):
            torch.testing.assert_close(gradient, parameter.grad, rtol=1e-4, atol=1e-5)


def test_without_a_process_group_it_is_batch_norm() -> None:
    x = torch.randn(4, 3, 2, generator=torch.Generator().manual_seed(0))
    alone, plain = SyncBatchNorm(3), BatchNorm1d(3)
    torch.testing.assert_close(alone(x), plain(x))
    torch.testing.assert_close(alone.running_var, plain.running_var)
    torch.testing.assert_close(alone.eval()(x), plain.eval()(x))


def test_conversion_is_in_place_and_keeps_options_and_parameters() -> None:
    layer = BatchNorm1d(3, variance="unbiased")
    model = nn.Sequential(layer, nn.BatchNorm2d(3), nn.LayerNorm(3))
    weight = layer.weight
    assert SyncBatchNorm.convert_sync_batchnorm(model) is model
    assert type(layer) is SyncBatchNorm and type(model[1]) is SyncBatchNorm and type(model[2]) is nn.LayerNorm
    assert layer.weight is weight and layer.variance == "unbiased"
