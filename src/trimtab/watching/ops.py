"""What the nodes of torch's autograd graph stand for, by name: parameter plumbing, layers, activations, losses."""

from __future__ import annotations

import re
from functools import cache

# Nodes that only carry a parameter to where it is used: transposes, views, casts.
PLUMBING = frozenset(
    {
        "T", "Transpose", "Permute", "View", "UnsafeView", "Reshape", "ReshapeAlias", "Expand", "ToCopy", "Clone",
        "Unsqueeze", "Squeeze", "Select", "Slice", "AsStrided", "Alias", "Detach", "Contiguous", "Split", "Chunk",
        "UnsafeSplit", "SplitWithSizes", "Unbind", "Cat", "Stack", "WeightNormInterface",
    }
)  # fmt: skip

# Parameter arithmetic (w * 0.5, g * v / ‖v‖) as long as no signal takes part.
ARITHMETIC = frozenset(
    {"Add", "Sub", "Mul", "Div", "Neg", "Pow", "Exp", "Sqrt", "Rsqrt", "LinalgVectorNorm", "Norm", "Sum", "Mean"}
)

LAYERS = {
    "Addmm": "linear", "Mm": "linear", "Bmm": "linear", "Baddbmm": "linear", "Addbmm": "linear", "Mv": "linear",
    "Addmv": "linear", "Dot": "linear", "Linear": "linear", "MkldnnLinear": "linear",
    "Convolution": "conv", "ConvolutionOverrideable": "conv", "MkldnnConvolution": "conv", "SlowConv2D": "conv",
    "MkldnnRnnLayer": "recurrent", "CudnnRnn": "recurrent", "ThnnFusedLstmCell": "recurrent", "MiopenRnn": "recurrent",
    "Embedding": "embedding", "EmbeddingBag": "embedding", "IndexSelect": "embedding", "Index": "embedding",
    "NativeBatchNorm": "batch_norm", "CudnnBatchNorm": "batch_norm", "MiopenBatchNorm": "batch_norm",
    "BatchNormWithUpdate": "batch_norm",
    "BatchNorm": "batch_norm", "SyncBatchNorm": "batch_norm", "LayerNorm": "layer_norm",
    "NativeLayerNorm": "layer_norm", "NativeGroupNorm": "group_norm", "FusedRmsNorm": "layer_norm",
}  # fmt: skip

# Layers whose matrices shape the gain through depth, as opposed to tables, norms and scales.
WEIGHT_OPS = frozenset({"linear", "conv", "recurrent"})

# Activation: node name -> (public name, saved tensor to read: the output, or the input where only that is kept).
ACTIVATIONS = {
    "Relu": ("relu", "result"),
    "Sigmoid": ("sigmoid", "result"),
    "Tanh": ("tanh", "result"),
    "ClampMin": ("relu", "self"),
    "Threshold": ("relu", "self"),
    "Hardtanh": ("hardtanh", "self"),
    "LeakyRelu": ("leaky_relu", "self"),
    "Gelu": ("gelu", "self"),
    "Silu": ("silu", "self"),
    "Elu": ("elu", "self"),
    "Softplus": ("softplus", "self"),
    "Hardswish": ("hardswish", "self"),
    "Mish": ("mish", "self"),
}

LOSSES = {
    "MseLoss": "mse",
    "NllLoss": "cross_entropy",
    "NllLoss2D": "cross_entropy",
    "NllLossNd": "cross_entropy",
    "BinaryCrossEntropy": "binary_cross_entropy",
    "BinaryCrossEntropyWithLogits": "binary_cross_entropy_with_logits",
    "SmoothL1Loss": "smooth_l1",
    "HuberLoss": "huber",
    "KlDiv": "kl_div",
}

# Nodes that move values about without changing them.
CARRIERS = frozenset(
    {
        "T", "Transpose", "Permute", "View", "UnsafeView", "Reshape", "ReshapeAlias", "Expand", "ToCopy", "Clone",
        "Unsqueeze", "Squeeze", "Select", "Slice", "Alias", "Contiguous",
    }
)  # fmt: skip

# What stands between the scalar that is minimised and the places where predictions meet targets.
REDUCTIONS = CARRIERS | {
    "Mean", "Sum", "Nansum", "Neg", "Add", "Sub", "Rsub", "Mul", "Div", "Pow", "Abs", "Sqrt", "Log", "Exp",
    "MaskedFill", "MaskedSelect", "Where", "Stack", "Cat", "LogSoftmax", "Logsumexp", "Gather", "Index", "Clamp",
    "ClampMin",
}  # fmt: skip

_SUFFIX = re.compile(r"Backward\d*$|^torch::autograd::")


@cache
def short_name(node_name: str) -> str:
    """`AddmmBackward0` -> `Addmm`, `torch::autograd::AccumulateGrad` -> `AccumulateGrad`."""
    return _SUFFIX.sub("", node_name)
