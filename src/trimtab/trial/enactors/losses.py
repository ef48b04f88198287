"""What the loss is given: logits for probabilities, and predictions in the shape of the targets."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.modules.loss import _Loss

from trimtab.trial.enactors.base import Call, Enactor

LEAST = 1e-12


class MatchLoss(Enactor):
    """In training, the logarithm of a softmax or the logit of a sigmoid, or another shape, at the model's output.

    log_softmax(log p) = log p: the loss is then that of the probabilities themselves.
    """

    names = ("match-loss",)
    nothing_found = "the model's output is not what meets the loss: change it where the two meet"

    def module_begins(self, call: Call) -> None:
        if (
            not isinstance(call.module, _Loss)
            or len(call.args) < 2
            or self.change.value not in ("squeeze", "unsqueeze")
        ):
            return
        prediction, target = call.args[:2]
        if prediction.shape != target.shape and prediction.numel() == target.numel():
            call.args = (prediction.reshape(target.shape), target, *call.args[2:])
            self.done += 1

    def module_ends(self, call: Call) -> None:
        x = call.output
        if not (call.root and call.training and isinstance(x, Tensor) and x.is_floating_point()):
            return
        if isinstance(call.module, _Loss) or next(call.module.parameters(), None) is None:
            return
        form = self.change.value or "softmax"
        if form == "squeeze" and x.dim() > 1 and x.shape[-1] == 1:
            call.output = x.squeeze(-1)
        elif form == "unsqueeze" and x.dim() == 1:
            call.output = x.unsqueeze(-1)
        elif form in ("softmax", "probabilities") and _is_simplex(x):
            call.output = x.clamp_min(LEAST).log()
        elif form == "sigmoid" and bool(((x >= 0) & (x <= 1)).all()):
            call.output = torch.logit(x, eps=1e-6)
        else:
            return
        self.done += 1


def _is_simplex(x: Tensor) -> bool:
    sums = x.detach().sum(1 if x.dim() > 1 else 0)
    return bool((x.detach() >= 0).all() and (sums - 1).abs().max() < 1e-3)
