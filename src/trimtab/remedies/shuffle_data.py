"""Draw every batch at random from all of the data."""

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding
from trimtab.core.remedy import Remedy
from trimtab.core.trace import Trace


def _code(finding: Finding, trace: Trace, value: str | None) -> str:
    return (
        "loader = DataLoader(dataset, batch_size=..., shuffle=True)\n"
        "order = torch.randperm(len(x_train))   # or, where batches are cut by hand, at the start of each epoch\n"
        "x_train, y_train = x_train[order], y_train[order]"
    )


SHUFFLE_DATA = Remedy(
    name="shuffle-data",
    place="data",
    treats=(Cause.DATA_ORDER,),
    sentence="Shuffle the data, anew in each epoch.",
    code=_code,
)
