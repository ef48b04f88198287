"""Event files that TensorBoard reads, written by its own writer, without TensorFlow or torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trimtab.core.errors import TrimtabError
from trimtab.core.finding import Diagnosis
from trimtab.core.trace import Trace
from trimtab.export.account import report, started
from trimtab.export.extras import needed
from trimtab.export.outcome import Naming, Outcome
from trimtab.export.scalars import Curves

EVENTS, OURS = "*tfevents*", ".trimtab"


def check(folder: Path) -> None:
    """Raise TrimtabError where the folder holds the events of another run: they would be shown as one."""
    needed("tensorboard", "tensorboard")
    if folder.exists() and not folder.is_dir():
        raise TrimtabError(f"--out {folder}: TensorBoard reads folders, and this is a file; name a folder")
    strangers = [path for path in folder.glob(EVENTS) if path.suffix != OURS]
    if strangers:
        raise TrimtabError(
            f"--out {folder}: holds the events of another run ({strangers[0].name}); name another folder"
        )


def write(trace: Trace, diagnosis: Diagnosis, curves: Curves, folder: Path, naming: Naming) -> Outcome:
    """A scalar for each point and the diagnosis as text, in place of an earlier export; steps are optimizer steps."""
    writer = needed("tensorboard.summary.writer.event_file_writer", "tensorboard")
    events = needed("tensorboard.compat.proto.event_pb2", "tensorboard")
    earlier = list(folder.glob(f"{EVENTS}{OURS}"))
    now = started(trace)
    file = writer.EventFileWriter(str(folder), filename_suffix=OURS)
    try:
        file.add_event(events.Event(wall_time=now, step=trace.steps, summary=_text(report(diagnosis, trace))))
        for step, values in curves.by_step():
            file.add_event(events.Event(wall_time=now, step=step, summary=_scalars(values)))
    finally:
        file.close()
    for path in earlier:
        path.unlink(missing_ok=True)
    return Outcome(
        f"{folder}: {len(curves):,} points of {len(curves.items):,} curves",
        f"tensorboard --logdir {folder.parent}",
        curves.left_out,
    )


def _scalars(values: dict[str, float]) -> Any:
    summaries = needed("tensorboard.compat.proto.summary_pb2", "tensorboard")
    return summaries.Summary(
        value=[summaries.Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()]
    )


def _text(content: str) -> Any:
    """TensorBoard renders Markdown: indented by four spaces the report stays as it is."""
    summaries = needed("tensorboard.compat.proto.summary_pb2", "tensorboard")
    tensors = needed("tensorboard.compat.proto.tensor_pb2", "tensorboard")
    types = needed("tensorboard.compat.proto.types_pb2", "tensorboard")
    shapes = needed("tensorboard.compat.proto.tensor_shape_pb2", "tensorboard")
    indented = "\n".join(f"    {line}" for line in content.splitlines())
    plugin = summaries.SummaryMetadata.PluginData(plugin_name="text")
    tensor = tensors.TensorProto(
        dtype=types.DT_STRING,
        string_val=[indented.encode()],
        tensor_shape=shapes.TensorShapeProto(dim=[shapes.TensorShapeProto.Dim(size=1)]),
    )
    metadata = summaries.SummaryMetadata(plugin_data=plugin)
    return summaries.Summary(value=[summaries.Summary.Value(tag="diagnosis", metadata=metadata, tensor=tensor)])
