"""Watching a training script: global hooks, armed only on the steps that are looked at."""

from trimtab.watching.watcher import MaxSteps, Watcher

__all__ = ["MaxSteps", "Watcher"]
