"""Initialisation: weights whose scale keeps the signal and the gradient from layer to layer.

`initialize(model, example)` starts a whole model; `check(model, example)` says whether a start is good; the schemes are
there one by one, in place on a tensor, as in `torch.nn.init`.
"""

from trimtab.init.checking import check
from trimtab.init.fans import Fans, fans
from trimtab.init.gains import gain
from trimtab.init.initializing import initialize
from trimtab.init.lsuv import lsuv_
from trimtab.init.orthogonal import delta_orthogonal_, orthogonal_
from trimtab.init.report import LayerStart, Report
from trimtab.init.scaling import Scaled
from trimtab.init.schemes import SCHEMES
from trimtab.init.variance import (
    kaiming_normal_,
    kaiming_uniform_,
    lecun_normal_,
    lecun_uniform_,
    xavier_normal_,
    xavier_uniform_,
)
from trimtab.init.verdict import LIMITS, Check, LayerCheck
from trimtab.init.writing import Start

__all__ = [
    "LIMITS",
    "SCHEMES",
    "Check",
    "Fans",
    "LayerCheck",
    "LayerStart",
    "Report",
    "Scaled",
    "Start",
    "check",
    "delta_orthogonal_",
    "fans",
    "gain",
    "initialize",
    "kaiming_normal_",
    "kaiming_uniform_",
    "lecun_normal_",
    "lecun_uniform_",
    "lsuv_",
    "orthogonal_",
    "xavier_normal_",
    "xavier_uniform_",
]
