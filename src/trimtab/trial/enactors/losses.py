"""What the loss is given: logits for probabilities, and predictions in the shape of the targets."""

from __future__ import annotations

from torch import Tensor

from trimtab.trial.enactors.base import Call, Enactor

LEAST = 1e-12
SHAPES = ("squeeze", "unsqueeze")


class MatchLoss(Enactor):
    """Where a loss function is called: the logarithm of a softmax, the logit of a sigmoid, or the targets' shape.

    log_softmax(log p) = log p: the loss is then that of the probabilities themselves. A loss that is written by hand
    calls no function: for its shape the model's output is changed.
    """

    names = ("match-loss",)
    nothing_found = "the loss is given nothing of the kind, or is computed where it cannot be reached"

    def loss_begins(self, prediction: Tensor, target: Tensor, name: str) -> Tensor:
        """Nothing changes for a prediction that is as the loss takes it."""
        form = self.change.value or "softmax"
        if form in SHAPES:
            fitting = prediction.shape != target.shape and prediction.numel() == target.numel()
            matched = prediction.reshape(target.shape) if fitting else prediction
        elif form == "sigmoid":
            takes_logits = name == "binary_cross_entropy_with_logits" and _between_0_and_1(prediction)
            matched = prediction.logit(eps=1e-6) if takes_logits else prediction
        else:
            takes_logits = name in ("cross_entropy", "nll_loss") and _is_simplex(prediction)
            matched = prediction.clamp_min(LEAST).log() if takes_logits else prediction
        self.done += matched is not prediction
        return matched

    def module_ends(self, call: Call) -> None:
        """For a loss by hand: what the model puts out, with the dimension that it lacks or has too many."""
        x = call.output
        if not (call.root and call.training and isinstance(x, Tensor)) or next(call.module.parameters(), None) is None:
            return
        if self.change.value == "squeeze" and x.dim() > 1 and x.shape[-1] == 1:
            call.output = x.squeeze(-1)
        elif self.change.value == "unsqueeze" and x.dim() == 1:
            call.output = x.unsqueeze(-1)
        else:
            return
        self.done += 1


def _is_simplex(x: Tensor) -> bool:
    """Whether the classes, which stand in dimension 1, are probabilities."""
    values = x.detach()
    return x.numel() > 0 and bool((values >= 0).all() and (values.sum(1 if x.dim() > 1 else 0) - 1).abs().max() < 1e-3)


def _between_0_and_1(x: Tensor) -> bool:
    return x.numel() > 0 and bool(((x.detach() >= 0) & (x.detach() <= 1)).all())
