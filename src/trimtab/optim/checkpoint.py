"""States from elsewhere: torch's, older ones, and those of parameters in a short float format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from trimtab.optim.skipping import SKIPPED
from trimtab.optim.tensor_step import working_dtype


@dataclass(frozen=True)
class _Sealed:
    """A tensor that torch's loader does not recognise: it would cast it to the parameter's format, bfloat16 even."""

    tensor: Tensor


class Exchanging(Optimizer):
    """An optimizer whose state is torch's, both ways, with more in it that torch's loader passes over."""

    def state_dict(self) -> dict[str, Any]:
        """As torch's, with the options of ours and the count of skipped steps in the groups."""
        state = super().state_dict()
        return {**state, "param_groups": [{**g, SKIPPED: int(g.get(SKIPPED, 0))} for g in state["param_groups"]]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continues from a state of ours or of torch's optimizer of the same name, of any age.

        An option that the state does not name stays as constructed, and what it does not hold starts afresh: a weight
        average, or the velocity where `momentum_form` differs. Differs from torch: moments are kept in float32 where
        the parameter is shorter, and nothing is shared with `state_dict`.
        """
        # after the user's hooks: they see tensors
        handle = self.register_load_state_dict_pre_hook(lambda _, loaded: sealed(loaded))
        try:
            super().load_state_dict(state_dict)
        finally:
            handle.remove()

    def __getstate__(self) -> dict[str, Any]:
        own = ("_clip", "_average", "_on_nonfinite", "_seen")
        return {**super().__getstate__(), **{name: self.__dict__[name] for name in own}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        constructed = self.__dict__.get("param_groups", [])
        super().__setstate__(state)
        fill_in(self.param_groups, constructed, self.defaults)
        modernize_(self.state, self.param_groups)


def sealed(state_dict: Mapping[str, Any]) -> dict[str, Any]:
    """The same with the tensors of the parameters' states sealed, and no skipped step where none is told of."""
    state = {k: _each(v, _seal) if isinstance(v, dict) else v for k, v in state_dict["state"].items()}
    groups = [{**group, SKIPPED: group.get(SKIPPED, 0)} for group in state_dict["param_groups"]]
    return {**state_dict, "state": state, "param_groups": groups}


def modernize_(state: dict[Any, Any], groups: Sequence[dict[str, Any]]) -> None:
    """Opens what was sealed, and brings older states to today's form: a `step` is a tensor, what is None is absent."""
    for group in groups:
        for p in group["params"]:
            if p in state:
                kept = {key: value for key, value in state[p].items() if value is not None}
                state[p] = {key: _placed(key, value, p, group) for key, value in kept.items()}


def fill_in(
    groups: Sequence[dict[str, Any]], constructed: Sequence[dict[str, Any]], defaults: Mapping[str, Any]
) -> None:
    """An option that a loaded group does not name is as constructed, in the group of the same place or by default."""
    for i, group in enumerate(groups):
        before = constructed[i] if i < len(constructed) else {}
        for key, value in defaults.items():
            group.setdefault(key, before.get(key, value))


def _placed(key: str, value: Any, param: Tensor, group: Mapping[str, Any]) -> Any:
    if key == "step":
        return _step(value.tensor if isinstance(value, _Sealed) else value, param, bool(group.get("capturable")))
    if not isinstance(value, _Sealed):
        return value
    if key == "average_step":
        return value.tensor.to(device="cpu", dtype=torch.int64, copy=True)
    return value.tensor.to(device=param.device, dtype=working_dtype(param), copy=True)


def _step(value: Any, param: Tensor, capturable: bool) -> Tensor:
    """On the parameter's device under capture, else on the host, where reading it does not wait."""
    device = param.device if capturable else torch.device("cpu")
    if isinstance(value, Tensor):
        return value.to(device=device, copy=True)
    wide = torch.float64 if torch.get_default_dtype() == torch.float64 else torch.float32
    return torch.tensor(float(value), dtype=wide, device=device)


def _seal(value: Any) -> Any:
    return _Sealed(value) if isinstance(value, Tensor) else value


def _each(values: Mapping[str, Any], change: Any) -> dict[str, Any]:
    return {key: change(value) for key, value in values.items()}
