"""The gain through time of a fused LSTM: its one node shows no steps, so a few sequences are run through them again.

Again, on copies: the training's tensors, graph and random numbers are not touched.
"""

from __future__ import annotations

import torch
from torch import Tensor

from trimtab.core.signal import TIME_CALLS, TIME_GAIN
from trimtab.watching.buffer import Buffer
from trimtab.watching.graph import Layer, Node, saved
from trimtab.watching.ops import short_name
from trimtab.watching.probes.layers import gain_per_call

LSTM = 2  # the mode of a fused recurrent node
SEQUENCES, STEPS = 4, 48  # a gain per step needs no more
FUSED = frozenset({"MkldnnRnnLayer"})


class TimeProbe:
    """Asks each fused layer at its first look, and again when the number of steps has doubled: it costs some 5 ms."""

    def __init__(self) -> None:
        self._next: dict[int, int] = {}

    def read(self, buffer: Buffer, step: int, site: int, layer: Layer) -> None:
        """Measure one layer, where its node keeps what is needed."""
        if short_name(layer.node.name()) not in FUSED or step < self._next.get(site, 0):
            return
        self._next[site] = 2 * step + 1
        parts = _parts(layer.node)
        if parts is None:
            return
        inputs, weights = parts
        if len(inputs) > 2:
            buffer.put(
                step, TIME_GAIN, site, gain_per_call(_backwards(inputs[:STEPS], *weights), min(len(inputs), STEPS))
            )
            buffer.put(step, TIME_CALLS, site, float(len(inputs)))


def _parts(node: Node) -> tuple[Tensor, tuple[Tensor, ...]] | None:
    """Inputs [T, B, I] and weights as (w_ih, w_hh, b_ih, b_hh, h₀, c₀); None for other cells and packed sequences."""
    if getattr(node, "_saved_mode", None) != LSTM or getattr(node, "_saved_batch_sizes", ()):
        return None
    names = ("input", "weight0", "weight1", "weight2", "weight3", "hx_", "cx_")
    tensors = [saved(node, name) for name in names]
    if any(t is None for t in tensors) or not getattr(node, "_saved_has_biases", False):
        return None
    inputs, *rest = [t.float() for t in tensors if t is not None]
    if inputs.dim() != 3 or rest[-1].dim() != 2:
        return None
    inputs = inputs.flip(0) if getattr(node, "_saved_reverse", False) else inputs
    return inputs[:, :SEQUENCES], (*rest[:4], rest[4][:SEQUENCES], rest[5][:SEQUENCES])


@torch.enable_grad()
def _backwards(
    inputs: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor, b_hh: Tensor, h: Tensor, c: Tensor
) -> list[Tensor]:
    """‖d Σh_T / d(h_t, c_t)‖ for each step t: i, f, g, o = gates of x_t and h_{t−1}; c = f c + i g; h = o tanh c."""
    h, c = h.clone().requires_grad_(), c.clone().requires_grad_()
    states = [(h, c)]
    for x in inputs:
        i, f, g, o = (x @ w_ih.T + b_ih + h @ w_hh.T + b_hh).chunk(4, 1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        states.append((h, c))
    # The last state's c does not reach the sum but through its h.
    kept = states[:-1]
    gradients = torch.autograd.grad(h.sum(), [part for state in kept for part in state])
    pairs = zip(gradients[::2], gradients[1::2], strict=True)
    return [torch.sqrt(dh.square().sum() + dc.square().sum()) for dh, dc in pairs]
