"""The one step that all optimizers take: each of them only says which `Update` a parameter group asks for."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from trimtab.clip import ClipByNorm, ClipByValue
from trimtab.optim.averaging import Gain, observe_, shown
from trimtab.optim.checkpoint import Exchanging
from trimtab.optim.device_parts import Request
from trimtab.optim.fused import Fused, step_
from trimtab.optim.gradients import Clip, measure, prepared
from trimtab.optim.in_backward import Measuring
from trimtab.optim.nonfinite import describe, nonfinite
from trimtab.optim.on_device import OnDevice
from trimtab.optim.refusals import refuse_capture, refuse_freed, refuse_options, refuse_sparse
from trimtab.optim.skipping import SKIPPED, count_, counted, must_skip, unless
from trimtab.optim.tensor_step import descend_
from trimtab.optim.update import Update

OnNonfinite = Literal["pass", "skip", "raise"]


class Descent(Exchanging):
    """`w ← w − lr · direction / scale`: what SGD, RMSprop, Adam and AdamW have in common.

    A step is: unscale (under a GradScaler) → look for inf and NaN → clip → coupled weight decay → direction and scale
    → decoupled weight decay → step → weight average. Gradients are read and never written: after a step `p.grad` is
    what it was before it.

    `clip` is a `trimtab.clip.ClipByNorm` or `ClipByValue`. `average` is a `trimtab.average.EMA`: see `averaged`.
    `on_nonfinite` says what an inf or NaN gradient does: "pass" it on as torch does, "skip" the step and count it, or
    "raise" FloatingPointError; the latter two look at every gradient and wait for the device once a step. Under a
    GradScaler a step with overflow is skipped and counted in any case, and the gradients stay scaled, as with torch's
    `fused=True`.

    float16 and bfloat16 parameters are stepped in float32 with float32 state, where torch uses the parameter's format:
    better in the last places, otherwise the same. `foreach`, `fused` and `capturable` are accepted as in torch, where
    they choose among implementations of one result; here only `capturable` has an effect, for graph capture. A step
    compiles into one graph (`fullgraph=True`), but for `on_nonfinite="raise"`, which must ask on the host, and for
    "skip" with `dampening`. A compiled "skip" takes the step and takes it back on the device.
    """

    _step_supports_amp_scaling = True  # a GradScaler leaves `grad_scale` and `found_inf` here and the gradients alone

    def __init__(
        self,
        params: Any,
        defaults: dict[str, Any],
        *,
        clip: Clip | None = None,
        average: Gain | None = None,
        on_nonfinite: OnNonfinite = "pass",
    ) -> None:
        if clip is not None and not isinstance(clip, ClipByNorm | ClipByValue):
            raise TypeError(f"clip is a ClipByNorm or a ClipByValue of trimtab.clip, not {clip!r}")
        if average is not None and (isinstance(average, type) or not callable(getattr(average, "gain", None))):
            raise TypeError(f"average is an EMA or a RunningMean of trimtab.average, as EMA(0.999), not {average!r}")
        if on_nonfinite not in get_args(OnNonfinite):
            raise ValueError(f'on_nonfinite is "pass", "skip" or "raise", not {on_nonfinite!r}')
        self._check(defaults)
        super().__init__(params, defaults)
        self._clip, self._average, self._on_nonfinite = clip, average, on_nonfinite
        self._seen: dict[str, Any] = {"grad_norm": None}  # in a dict: dynamo drops what is set on an optimizer
        self._showing_averages = False
        self._fused, self._on_device = Fused(), OnDevice()
        self._measuring: Measuring | None = None

    def update_of(self, group: dict[str, Any]) -> Update:
        """What a parameter group asks for, at this step."""
        raise NotImplementedError

    @property
    def grad_norm(self) -> Tensor | None:
        """The norm before clipping, on the device, with `ClipByNorm`: one number, or one for each part that is clipped.

        Of the last step that was not skipped; before the first None, or NaN where that was compiled.
        """
        return self._seen["grad_norm"]

    @property
    def skipped_steps(self) -> int:
        """How many steps were left out because a gradient had inf or NaN."""
        return counted(self.param_groups)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """One step; `closure` recomputes the loss and its gradients, and its value is returned.

        Raises RuntimeError on a sparse gradient and inside `averaged()`, FloatingPointError as `on_nonfinite` says;
        nothing is changed then.
        """
        if self._showing_averages:
            raise RuntimeError("step() inside averaged(): the weights are the average there; leave the block first")
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        if not self._descend_on_device():
            self._descend_elsewhere()
        return loss

    def averaged(self) -> AbstractContextManager[None]:
        """Inside `with optimizer.averaged():` the parameters hold their averages; after it, the weights again.

        Evaluate or save the model inside. The average is of the weights after each step, `a ← a + gain(t) (w − a)`,
        t counted from each parameter's own first step; a parameter that has made none shows its weights. Buffers, as
        batch norm's running estimates, stay those of the trained weights: `AveragedModel` averages them too. Costs a
        copy of the parameters while inside. Raises RuntimeError without `average=`, and inside another such block.
        """
        if self._average is None:
            raise RuntimeError(f"averaged() needs an average: {type(self).__name__}(…, average=EMA(0.999))")
        return shown(self)

    def measure_in_backward(self) -> Measuring:
        """From now on, each gradient is measured as `backward` completes it, while it is in the processor's cache.

        With `ClipByNorm` a step then does not read the gradients twice: 36 bytes a float32 parameter in place of 40,
        for Adam with an average. Under gradient accumulation each backward measures anew; a gradient that was replaced
        or changed after it is measured in the step. On the CPU, with the native core; elsewhere without effect.
        `remove()` of what is returned ends it. A parameter that is added later is measured in the step.
        """
        if self._measuring is not None:
            self._measuring.remove()
        self._measuring = Measuring(p for group in self.param_groups for p in group["params"])
        return self._measuring

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        if isinstance(param_group, dict):
            self._check({**self.defaults, **param_group})
            param_group.setdefault(SKIPPED, 0)
        super().add_param_group(param_group)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self.__dict__.setdefault("_showing_averages", False)
        self.__dict__.setdefault("_measuring", None)
        self._fused, self._on_device = Fused(), OnDevice()

    def _check(self, options: dict[str, Any]) -> None:
        refuse_options(type(self).__name__, options)
        self.update_of(options)

    def _must_skip(self) -> bool | Tensor:
        """A tensor where the host must not ask: in a compiled step, if it can be taken back."""
        found, looks = getattr(self, "found_inf", None), self._on_nonfinite == "skip"
        if (looks or found is not None) and torch.compiler.is_compiling() and self._can_take_back():
            refuse_sparse(self)
            return must_skip(self.param_groups, looks, found)
        if found is not None and bool(found):
            return True
        if self._on_nonfinite == "pass":
            return False
        refuse_sparse(self)
        refuse_freed(self)
        bad = nonfinite(self.param_groups)
        if bad and self._on_nonfinite == "raise":
            raise FloatingPointError(f"{type(self).__name__}.step: {describe(bad, self.param_groups)}")
        return bool(bad)

    def _descend_on_device(self) -> bool:
        """The whole step, where the kernels of the GPU can take it."""
        if torch.compiler.is_compiling():
            return False
        scale, found = getattr(self, "grad_scale", None), getattr(self, "found_inf", None)
        ask = Request(self._clip, self._average, self._on_nonfinite == "skip", scale, found)
        parts = self._on_device.parts(self.param_groups, self.state, self.update_of, ask)
        if parts is None:
            return False
        if self._on_nonfinite == "raise":
            self._must_skip()
        norm = self._on_device.step(parts, ask)
        if isinstance(self._clip, ClipByNorm):
            self._seen["grad_norm"] = norm
        return True

    def _descend_elsewhere(self) -> None:
        refuse_capture(self, averaging=self._average is not None)
        skip = self._must_skip()
        if isinstance(skip, Tensor):
            self._descend_unless(skip)
        elif skip:
            count_(self.param_groups, 1)
        else:
            self._descend()

    def _can_take_back(self) -> bool:
        """Not where a sum begins otherwise than from zeros, and not what is to be raised."""
        return self._on_nonfinite != "raise" and not any(group.get("dampening") for group in self.param_groups)

    def _descend_unless(self, skip: Tensor) -> None:
        before = self._seen["grad_norm"]
        unless(skip, self._descend, self.param_groups, self.state)
        after = self._seen["grad_norm"]
        if after is not None:
            before = torch.full_like(after, torch.nan) if before is None or before.shape != after.shape else before
            self._seen["grad_norm"] = torch.where(skip.to(after.device), before.to(after.device), after)
        count_(self.param_groups, skip.long())

    def _descend(self) -> None:
        updates = [self.update_of(group) for group in self.param_groups]
        averaged = self._average is not None
        parts = self._fused.parts(self.param_groups, self.state, updates, averaged, self._measuring)
        done = False if parts is None else step_(parts, self._clip, getattr(self, "grad_scale", None), self._average)
        if isinstance(done, bool):
            self._descend_one_by_one(updates)
        elif isinstance(self._clip, ClipByNorm):
            self._seen["grad_norm"] = done
        if parts is None or done is False or any(part.idle for part in parts):
            self._observe(stepped=isinstance(done, bool))

    def _descend_one_by_one(self, updates: list[Update]) -> None:
        refuse_sparse(self)
        refuse_freed(self)
        scale, pairs = getattr(self, "grad_scale", None), zip(self.param_groups, updates, strict=True)
        stepped = [(p, update) for group, update in pairs for p in group["params"] if p.grad is not None]
        norms: list[Tensor | None] = [None] * len(stepped)
        if isinstance(self._clip, ClipByNorm):
            self._seen["grad_norm"], norms[:] = measure(self.param_groups, self._clip, scale)
        for (p, update), norm in zip(stepped, norms, strict=True):
            state = self.state[p] if update.remembers else {}
            descend_(p, prepared(p, norm, self._clip, scale), state, update)

    def _observe(self, stepped: bool) -> None:
        """Averages what `stepped` one by one, and weights that had no gradient this time."""
        if self._average is None:
            return
        for p in (p for group in self.param_groups for p in group["params"]):
            if stepped if p.grad is not None else "average" in self.state.get(p, {}):
                observe_(self.state[p], p, self._average)
