"""What compiling, distributing and checkpointing put around a model: names and modes that no script wrote."""

from __future__ import annotations

from torch import nn

_NAMES = {"_orig_mod", "_forward_module", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"}
_DISTRIBUTED = (nn.parallel.DistributedDataParallel, nn.DataParallel)  # their part is called "module", as others are


def as_written(path: str, root: nn.Module) -> str:
    """The path of a module without the wrappers on its way."""
    parts = [part for part in path.split(".") if part not in _NAMES]
    return ".".join(parts[1:] if isinstance(root, _DISTRIBUTED) else parts)


def unwrapped(module: nn.Module) -> nn.Module:
    """The model that the script wrote."""
    for name, part in module.named_children():
        if name in _NAMES or (isinstance(module, _DISTRIBUTED) and name == "module"):
            return unwrapped(part)
    return module
