"""`Trainer(callbacks=[TrimtabCallback()])`: every `fit` of a Lightning trainer is watched and diagnosed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from trimtab.core.errors import TrimtabError
from trimtab.integrations.training import WatchedTraining

if TYPE_CHECKING:
    from lightning.pytorch import Callback
else:
    try:
        if "pytorch_lightning" in sys.modules and "lightning.pytorch" not in sys.modules:
            from pytorch_lightning import Callback  # both may be installed: a trainer takes callbacks of its own kind
        else:
            from lightning.pytorch import Callback
    except ImportError:
        try:
            from pytorch_lightning import Callback
        except ImportError:
            raise TrimtabError(
                "trimtab.integrations.lightning needs Lightning, which is not installed: "
                "pip install 'trimtab[lightning]'"
            ) from None


class TrimtabCallback(WatchedTraining, Callback):
    """Watches from before the optimizers are made until `fit` is over, also by an exception or Ctrl-C.

    Of several processes only the first watches and reports; the others keep quiet.
    """

    def setup(self, trainer: Any, pl_module: Any, stage: str) -> None:
        if stage == "fit" and trainer.is_global_zero:
            self._begin()

    def teardown(self, trainer: Any, pl_module: Any, stage: str) -> None:
        self._end()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        self._end(exception)
