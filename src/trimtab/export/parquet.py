"""The long table as Parquet, with the diagnosis in the metadata of the file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trimtab.core.errors import TrimtabError
from trimtab.core.finding import Diagnosis
from trimtab.core.signal import Signal
from trimtab.core.trace import Trace
from trimtab.export.extras import needed
from trimtab.export.outcome import Outcome, in_words
from trimtab.export.table import COLUMNS, Part, parts
from trimtab.report import json

KEY = b"trimtab.diagnosis"


def check(path: Path) -> None:
    """Raise TrimtabError where a file lies that is no earlier export."""
    parquet, arrow = needed("pyarrow.parquet", "parquet"), needed("pyarrow", "parquet")
    if not path.exists() or not path.stat().st_size:
        return
    try:
        metadata = parquet.read_metadata(path).metadata or {}
    except (arrow.ArrowException, OSError):
        metadata = {}
    if KEY not in metadata:
        raise TrimtabError(f"--out {path}: exists and is no export of trimtab; left as it is, name another file")


def write(trace: Trace, diagnosis: Diagnosis, signals: Sequence[Signal], path: Path) -> Outcome:
    """One file with a row group for each signal; names are stored once."""
    arrow, parquet = needed("pyarrow", "parquet"), needed("pyarrow.parquet", "parquet")
    schema = _schema(arrow, diagnosis)
    beside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    count = 0
    try:
        with parquet.ParquetWriter(beside, schema, compression="zstd") as writer:
            for part in parts(trace, signals):
                writer.write_table(_table(arrow, part, schema))
                count += len(part.steps)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
    return Outcome(in_words(path, count, len(signals)), f'pandas.read_parquet("{path.as_posix()}")')


def _schema(arrow: Any, diagnosis: Diagnosis) -> Any:
    word = arrow.dictionary(arrow.int32(), arrow.string())
    types = (arrow.int64(), word, word, word, arrow.float64(), word)
    fields = [arrow.field(name, kind, nullable=False) for name, kind in zip(COLUMNS, types, strict=True)]
    return arrow.schema(fields, metadata={KEY: json.dumps(diagnosis).encode()})


def _table(arrow: Any, part: Part, schema: Any) -> Any:
    signal, rows = part.signal, len(part.steps)

    def repeated(word: str) -> Any:
        return arrow.DictionaryArray.from_arrays(arrow.repeat(arrow.scalar(0, arrow.int32()), rows), [word])

    sites = arrow.DictionaryArray.from_arrays(arrow.array(part.places, arrow.int32()), list(part.sites))
    words = (repeated(signal.name), repeated(signal.per), sites)
    columns = (arrow.array(part.steps), *words, arrow.array(part.values), repeated(signal.unit))
    return arrow.Table.from_arrays(columns, schema=schema)
