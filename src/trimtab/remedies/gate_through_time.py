"""Gated recurrence (LSTM, GRU): the cell's path through time has a gain near 1 (bengio1994)."""

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding
from trimtab.core.remedy import Remedy
from trimtab.core.trace import Trace


def _code(finding: Finding, trace: Trace, value: str | None) -> str:
    return (
        "rnn = nn.GRU(input_size, n, batch_first=True)  # in place of nn.RNN(input_size, n); nn.GRUCell of nn.RNNCell\n"
        "with torch.no_grad():  # its update gates keep the state for 1 to 50 steps at the start\n"
        "    rnn.bias_hh_l0[n : 2 * n] = torch.empty(n).uniform_(1, 49).log()"
    )


GATE_THROUGH_TIME = Remedy(
    name="gate-through-time",
    place="model",
    treats=(Cause.DEPTH,),
    sentence="Use gated recurrence (LSTM or GRU), whose path through time neither shrinks nor grows the gradient.",
    code=_code,
    suits=lambda finding, trace: bool(finding.evidence.get("through_time")),
)
