"""Normalisation layers, named and shaped as in `torch.nn`, with the textbook's variants as options."""

from __future__ import annotations

from trimtab.nn import functional
from trimtab.nn.batch_norm import BatchNorm, BatchNorm1d, BatchNorm2d, BatchNorm3d
from trimtab.nn.conversion import convert
from trimtab.nn.exact import exact_statistics
from trimtab.nn.layer_norm import LayerNorm
from trimtab.nn.merging import merged_statistics
from trimtab.nn.sync_batch_norm import SyncBatchNorm

__all__ = [
    "BatchNorm",
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "LayerNorm",
    "SyncBatchNorm",
    "convert",
    "exact_statistics",
    "functional",
    "merged_statistics",
]
