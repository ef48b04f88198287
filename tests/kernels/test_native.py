"""The core as a library: found, switched off, run on any instruction set, any number of threads, and after a fork."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from trimtab.kernels import build, native
from trimtab.kernels.step import StepOptions, StepTable

SETTINGS = StepOptions(0.1, beta1=0.9, beta2=0.99, eps=1e-8, correct_velocity=True, correct_scale=True, gain=0.1)
STEPPED = """
import sys, torch
sys.path.insert(0, {folder!r})
from test_native import stepped
from trimtab.kernels import native
print(native.isa())
torch.save(stepped({dtype}), {out!r})
"""


def stepped(dtype: torch.dtype, sizes: tuple[int, ...] = (100_003, 5, 70_000)) -> list[torch.Tensor]:
    """Everything that two steps leave, and the norms."""
    draw = torch.Generator().manual_seed(0)
    params = [torch.randn(n, generator=draw).to(dtype) for n in sizes]
    memory: dict[Any, list[torch.Tensor]] = {}
    memory |= {name: [torch.zeros(n) for n in sizes] for name in ("velocity", "square", "average")}
    memory |= {"step": [torch.zeros(()) for _ in sizes]}
    table, norms = StepTable(), []
    for _ in range(2):
        grads = [torch.randn(n, generator=draw).to(dtype) for n in sizes]
        assert table.take(params, grads, memory)
        norms.append(table.norms())
        table.step(SETTINGS)
    return [*params, *(x for row in memory.values() for x in row), *norms]


@pytest.fixture
def team() -> Iterator[None]:
    """torch's number of threads as it was."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("team")
class TestThreads:
    @pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
    def test_their_number_changes_no_bit(self, dtype: torch.dtype) -> None:
        results = []
        for n in (1, 2, 3, 8):
            torch.set_num_threads(n)
            results.append(stepped(dtype))
        for other in results[1:]:
            assert all(map(torch.equal, results[0], other))

    def test_own_threads_where_torch_has_none_to_lend(self) -> None:
        expected = stepped(torch.float32)
        lend = native.function("trimtab_set_launcher", native.ADDRESS)
        torch.set_num_threads(4)
        lend(None)
        try:
            assert all(all(map(torch.equal, stepped(torch.float32), expected)) for _ in range(5))
        finally:
            native.join_team_of_torch(native.library())

    def test_two_callers_at_once(self) -> None:
        torch.set_num_threads(2)
        expected, results = stepped(torch.float32), []
        callers = [threading.Thread(target=lambda: results.append(stepped(torch.float32))) for _ in range(4)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        assert len(results) == 4 and all(all(map(torch.equal, result, expected)) for result in results)

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
    @pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
    def test_after_a_fork(self) -> None:
        torch.set_num_threads(2)
        draw = [torch.randn(100_000) for _ in range(2)]
        table, w = StepTable(), draw[0].clone()
        assert table.take([w], [draw[1]], {})
        table.step(StepOptions(1.0))  # the parent's threads are there now, the child will be without
        expected = (draw[0] - draw[1] - draw[1]).numpy()
        child = os.fork()
        if child == 0:
            signal.alarm(10)  # rather than hang
            table.step(StepOptions(1.0))
            # by NumPy: torch's own operations may wait for threads that are not there
            os._exit(0 if (w.numpy() == expected).all() else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


class TestInstructionSets:
    @pytest.mark.parametrize("isa", ["baseline", "avx2"])
    def test_agree(self, isa: str, tmp_path: Path) -> None:
        if isa == "avx2" and native.isa() == "baseline":
            pytest.skip("this processor has no AVX2")
        code = STEPPED.format(folder=str(Path(__file__).parent), dtype="torch.float32", out=str(tmp_path / "out.pt"))
        done = run(code, TRIMTAB_ISA=isa)
        assert done.stdout.strip() == isa, done.stderr
        for here, there in zip(stepped(torch.float32), torch.load(tmp_path / "out.pt"), strict=True):
            torch.testing.assert_close(there, here, rtol=1e-5, atol=1e-7)


class TestLoading:
    def test_why_not_is_empty_where_it_is_there(self) -> None:
        assert native.why_not() == ""

    def test_switched_off(self) -> None:
        done = run(
            "from trimtab.kernels import native; print(native.available(), native.why_not())", TRIMTAB_NATIVE="0"
        )
        assert done.stdout == "False TRIMTAB_NATIVE=0 switches it off\n", done.stderr

    def test_a_library_that_is_missing(self) -> None:
        done = run("from trimtab.kernels import native; native.isa()", TRIMTAB_CORE="/nowhere/_core.so")
        assert "RuntimeError: trimtab's native core is not there: /nowhere/_core.so does not exist" in done.stderr

    def test_a_library_that_is_none(self) -> None:
        done = run("from trimtab.kernels import native; print(native.why_not())", TRIMTAB_CORE=__file__)
        assert "test_native.py cannot be loaded" in done.stdout, done.stderr


@pytest.mark.without_core
class TestBuilding:
    def test_without_a_compiler(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("CXX", "no-such-compiler -v")
        with pytest.raises(build.BuildError, match=r"no C\+\+ compiler: no-such-compiler"):
            build.build(tmp_path / "_core.so")
        assert list(tmp_path.iterdir()) == []

    def test_with_a_compiler_that_fails(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("CXX", "false")
        with pytest.raises(build.BuildError, match="failed: exit 1"):
            build.build(tmp_path / "_core.so")


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
