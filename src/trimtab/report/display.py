"""A diagnosis that shows itself: in a terminal, under rich, in a notebook."""

from __future__ import annotations

import io
from dataclasses import dataclass, field, fields
from typing import Any

from rich.console import Console, ConsoleOptions, RenderResult

from trimtab.core.finding import Diagnosis
from trimtab.core.trace import Trace
from trimtab.report import markup, terminal
from trimtab.report.document import words
from trimtab.report.plotting import plot


@dataclass(frozen=True, slots=True)
class DisplayedDiagnosis(Diagnosis):
    """A diagnosis with the trace that it was made from, equal to any other diagnosis of the same content."""

    trace: Trace = field(kw_only=True, repr=False, compare=False)

    @classmethod
    def of(cls, diagnosis: Diagnosis, trace: Trace) -> DisplayedDiagnosis:
        """The same diagnosis with its trace attached."""
        return cls(**{f.name: getattr(diagnosis, f.name) for f in fields(Diagnosis)}, trace=trace)

    def plot(self, name: str = "") -> Any:
        """A chart of the report as an Altair chart: `diagnosis.plot("gradient-by-depth").save("gradient.svg")`.

        A notebook shows it; `save` writes PNG, SVG or HTML without a browser. Raises TrimtabError for a name that no
        chart has (the message lists them), and for a chart of which this run has no data.
        """
        return plot(self.trace, name)

    def __str__(self) -> str:
        text = io.StringIO()
        terminal.write(self, self.trace, text)
        return text.getvalue()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from terminal.lines(words(self, self.trace), options.max_width)

    def _repr_html_(self) -> str:
        return markup.fragment(words(self, self.trace))
