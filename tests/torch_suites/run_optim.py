"""Runs torch's own optimizer tests on our classes: `python tests/torch_suites/run_optim.py path/to/test/test_optim.py`.

The file is torch's `test/test_optim.py` of the installed version; it is not in the wheel and none of it is here. Needs
`expecttest`. Exits with 1 where a test fails that is not in `NOT_APPLICABLE`. What applies: docs/torch-suites-optim.md.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import unittest
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

os.environ.setdefault("PYTORCH_TESTING_DEVICE_ONLY_FOR", "cpu")

NOT_APPLICABLE = {
    "test_fused_error_on_params_on_meta": "there is no fused kernel that a device could lack; fused=True is a hint",
    "test_defaults_changed_to_foreach": "replaces a function inside torch's own module; needs CUDA",
    "test_fused_large_tensor": "a parameter of 2³² elements: more memory than a test may take",
    "test_foreach_large_tensor": "the same; needs CUDA",
    "test_peak_memory_foreach": "compares two implementations of torch; needs CUDA",
}
NOT_HERE = {"optim.test_lrscheduler": "TestLRScheduler", "optim.test_swa_utils": "TestSWAUtils"}
NOT_HERE |= {"optim.test_optim": "TestDifferentiableOptimizer"}  # what torch's file passes on from its neighbours
HINT = "as Tensor doesn't work with foreach", "as a Tensor is not supported"  # refused in torch, accepted here


def point_at_ours() -> None:
    """The optimizers that both have, ours in place of torch's, without what ours refuse."""
    from torch.testing._internal.common_optimizers import optim_db

    from trimtab import optim

    optim_db[:] = [info for info in optim_db if hasattr(optim, info.name)]
    for info in optim_db:
        info.optim_cls = getattr(optim, info.name)
        info.supported_impls = tuple(impl for impl in info.supported_impls if impl != "differentiable")
        info.supports_sparse = False
        info.optim_error_inputs_func = _without_hints(info.optim_error_inputs_func)


def load(path: Path) -> ModuleType:
    """Torch's file as a module, with empty classes for those of its neighbours."""
    sys.modules["optim"] = ModuleType("optim")
    for name, cls in NOT_HERE.items():
        sys.modules[name] = ModuleType(name)
        setattr(sys.modules[name], cls, type(cls, (), {}))
    spec = importlib.util.spec_from_file_location("torch_test_optim", path)
    assert spec is not None and spec.loader is not None
    module = sys.modules["torch_test_optim"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def applicable(module: ModuleType) -> unittest.TestSuite:
    """All its tests but those with a reason not to run."""
    found: unittest.TestSuite = unittest.defaultTestLoader.loadTestsFromModule(module)
    kept = unittest.TestSuite()
    for test in (test for group in found for test in group):  # pyright: ignore[reportGeneralTypeIssues]
        if not any(test.id().rsplit(".", 1)[-1].startswith(name) for name in NOT_APPLICABLE):
            kept.addTest(test)
    return kept


def _without_hints(inputs: Any) -> Any:
    return lambda device, dtype: [
        case for case in inputs(device, dtype) if not any(hint in case.optimizer_error_input.desc for hint in HINT)
    ]


if __name__ == "__main__":
    point_at_ours()
    result = unittest.TextTestRunner(verbosity=1).run(applicable(load(Path(sys.argv[1]))))
    for reason, count in Counter(reason for _, reason in result.skipped).items():
        print(f"skipped {count}: {reason}")
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    print(f"{result.testsRun - failed - len(result.skipped)} passed, {failed} failed, {len(result.skipped)} skipped")
    sys.exit(not result.wasSuccessful())
