"""A recipe tried on a training function of the calling program: `trimtab.verify`."""

from __future__ import annotations

import inspect
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from trimtab.core.errors import TrimtabError
from trimtab.core.recipe import Recipe
from trimtab.core.study import Judgement, Run
from trimtab.pipeline import diagnose
from trimtab.trial.enact import Enactment
from trimtab.trial.evaluations import Evaluations
from trimtab.trial.judge import compare
from trimtab.watching import Watcher


def verify(train: Callable[..., Any], recipe: Recipe | str, seeds: Sequence[int] = (0, 1, 2)) -> Judgement:
    """Train as it is and under the recipe, once each for every seed, and judge the pairs.

    Args:
        train: builds the model, the optimizer and the data, and trains; called with `seed=` where it takes one. torch,
            NumPy and `random` are seeded before each call.
        recipe: changes, as `trimtab run --with` takes them: `"standardize-inputs,clip-by-norm=1.0"`.
        seeds: at least one.

    Returns:
        The verdict with its effect, the share of the loss that the recipe takes away.

    Raises:
        TrimtabError: for an unknown change or no seed, or where no training is observed. What `train` raises as it is
            passes through; what it raises under the recipe makes the verdict `untested`.
    """
    recipe = Recipe.parse(recipe) if isinstance(recipe, str) else recipe
    if not seeds:
        raise TrimtabError("verify needs at least one seed: verify(train, recipe, seeds=(0, 1, 2))")
    Enactment(recipe)  # an unknown change is refused before anything is trained
    controls = [_run(train, Recipe(), seed) for seed in seeds]
    traces = [control.trace for control in controls if control.trace is not None and control.trace.steps]
    if len(traces) < len(controls):
        raise TrimtabError("no training was observed: verify takes a function that builds a model and trains it")
    findings = diagnose(traces[0]).findings
    treated = [_run(train, recipe, seed) for seed in seeds]
    return compare(controls, treated, findings[0].code if findings else "")


def _run(train: Callable[..., Any], recipe: Recipe, seed: int) -> Run:
    enactment = Enactment(recipe)
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    began, trouble = time.monotonic(), ""
    with tempfile.TemporaryDirectory(prefix="trimtab-") as folder:
        watcher = Watcher(record=Path(folder) / "run.db")
        enactment.install()
        watcher.start()
        evaluations = Evaluations(watcher)
        try:
            train(**({"seed": seed} if "seed" in inspect.signature(train).parameters else {}))
        except Exception as error:
            if not recipe:
                raise
            trouble = f"{type(error).__name__}: {error}"
        finally:
            evaluations.remove()
            enactment.remove()
            watcher.stop(**enactment.facts())
        return Run(recipe, seed, watcher.trace(), time.monotonic() - began, trouble)
