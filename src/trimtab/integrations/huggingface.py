"""`Trainer(..., callbacks=[TrimtabCallback()])`: every `train` of a Hugging Face trainer is watched and diagnosed."""

from __future__ import annotations

import functools
import sys
from typing import Any

from trimtab.core.errors import TrimtabError
from trimtab.integrations.training import WatchedTraining

try:
    from transformers import Trainer, TrainerCallback
except ImportError:
    raise TrimtabError(
        "trimtab.integrations.huggingface needs transformers with its trainer, which are not installed: "
        "pip install 'trimtab[huggingface]'"
    ) from None


class TrimtabCallback(WatchedTraining, TrainerCallback):
    """Watches `train` to its end, also where it raises or is interrupted.

    Of several processes only the first watches and reports; the others keep quiet. Given to the trainer as it is made
    it is told of exceptions; added later, by `add_callback`, it reports a training that raised when the next begins.
    """

    _in_train = False

    def on_init_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        trainer = _trainer()
        if trainer is not None:
            trainer.train = self._around(trainer.train)

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.is_world_process_zero:
            self._begin()

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if not self._in_train:
            self._end()

    def _around(self, train: Any) -> Any:
        """No event says that a training has failed, and the last one comes before the progress bar is closed."""

        @functools.wraps(train)
        def watched(*args: Any, **kwargs: Any) -> Any:
            self._in_train = True
            try:
                result = train(*args, **kwargs)
            except BaseException as error:
                self._end(error)
                raise
            finally:
                self._in_train = False
            self._end()
            return result

        return watched


def _trainer() -> Any:
    """The trainer that is being made: its events do not name it."""
    frame = sys._getframe(2)
    while frame is not None and not isinstance(frame.f_locals.get("self"), Trainer):
        frame = frame.f_back
    return None if frame is None else frame.f_locals["self"]
