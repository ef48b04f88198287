"""Runs torch's own `test/test_modules.py` on trimtab's normalisation layers in place of torch's.

    python tests/torch_suites/run_modules.py PATH/TO/test_modules.py [--baseline] [-v]

The file is in torch's repository, not in its wheel: take the one of the installed version. `--baseline` runs the same
tests on torch's own classes, to tell a fault of ours from a mismatch of versions. Nothing is left out but what the file
itself skips; docs/torch-suites-modules.md records the results.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
import unittest
from collections import Counter
from types import ModuleType, SimpleNamespace
from typing import Any

os.environ.setdefault("PYTORCH_TESTING_DEVICE_ONLY_FOR", "cpu")

from torch.testing._internal import common_modules

from trimtab.nn.conversion import TO_TRIMTAB


def use_ours(baseline: bool) -> None:
    """Leave in torch's table of modules the normalisation layers alone, and put our classes there."""
    kept = [info for info in common_modules.module_db if info.module_cls in TO_TRIMTAB]
    for info in () if baseline else kept:
        theirs: Any = info.module_cls
        info.module_cls = TO_TRIMTAB[theirs]
        errors = info.module_error_inputs_func
        if errors is not None:  # it chooses the shape of the input by asking for torch's class

            def as_for_theirs(_: Any, *args: Any, theirs: Any = theirs, errors: Any = errors, **options: Any) -> Any:
                return errors(SimpleNamespace(module_cls=theirs), *args, **options)

            info.module_error_inputs_func = as_for_theirs
    common_modules.module_db[:] = kept


def load(path: str) -> ModuleType:
    """torch's test module; its decorators read the table while it is imported."""
    spec = importlib.util.spec_from_file_location("torch_test_modules", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path")
    parser.add_argument("--baseline", action="store_true")
    parser.add_argument("-v", "--verbose", action="store_true")
    options = parser.parse_args()
    use_ours(options.baseline)
    suite = unittest.defaultTestLoader.loadTestsFromModule(load(options.path))
    result = unittest.TextTestRunner(verbosity=2 if options.verbose else 1).run(suite)
    for reason, count in Counter(reason for _, reason in result.skipped).items():
        print(f"skipped {count}: {reason}")
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    print(f"{result.testsRun - failed - len(result.skipped)} passed, {failed} failed, {len(result.skipped)} skipped")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
