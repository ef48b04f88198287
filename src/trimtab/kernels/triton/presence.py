"""Whether the Triton kernels can be used; triton is not imported before a tensor on a GPU asks for it.

`TRIMTAB_TRITON=0` in the environment switches them off.
"""

from __future__ import annotations

import os
from importlib.util import find_spec

import torch

KINDS = ("cuda",)  # of devices; the tests add "cpu", which triton interprets

_reasons: dict[str, str] = {}  # of each kind of device that was asked for


def takes(device: torch.device) -> bool:
    """Whether tensors of this device go to the Triton kernels."""
    return device.type in KINDS and not why_not(device.type)


def why_not(kind: str = "cuda") -> str:
    """Why the kernels are not in use on devices of this kind, in a few words; empty where they are."""
    if kind not in _reasons:
        reason = _missing(kind)
        if not reason and capturing():  # a first kernel would be compiled and read inside the graph
            return "a CUDA graph is being captured"
        _reasons[kind] = reason or _tried(kind)
    return _reasons[kind]


def capturing() -> bool:
    """Whether what is launched now is recorded for a CUDA graph, and not run."""
    return torch.cuda.is_initialized() and torch.cuda.is_current_stream_capturing()


def _missing(kind: str) -> str:
    if os.environ.get("TRIMTAB_TRITON") == "0":
        return "TRIMTAB_TRITON=0 switches them off"
    if kind == "cuda" and not torch.cuda.is_available():
        return "torch finds no GPU that it can use"
    return "" if find_spec("triton") else "triton is not installed"


def _tried(kind: str) -> str:
    """What goes wrong with a first kernel: of the compiler, the driver or the card, all of which triton needs."""
    try:
        from trimtab.kernels.triton.trial import runs_on

        return "" if runs_on(torch.device(kind)) else "a first kernel gave a wrong result"
    except Exception as error:  # whatever triton raises, torch operations do as well
        return f"a first kernel failed: {type(error).__name__}: {str(error).partition(chr(10))[0]}"
