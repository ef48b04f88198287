"""One training under the watcher, from its trainer's first word to the report: what callbacks have in common."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

from trimtab.cli.files import check_writable, write_whole
from trimtab.cli.publishing import is_reached
from trimtab.cli.selection import check_settings
from trimtab.core.errors import TrimtabError
from trimtab.core.settings import BARS, FailOn, Settings
from trimtab.core.trace import Trace
from trimtab.pipeline import diagnose
from trimtab.report import page, terminal
from trimtab.report.display import DisplayedDiagnosis
from trimtab.watching import Watcher


class WatchedTraining:
    """Base of callbacks. After a training `diagnosis` and `trace` have what was found; before the first they are None.

    `record`: path of the run record, or None to keep it in memory. `select` and `ignore` take codes or prefixes of
    rules. `html`: path of a page to write. `show`: the report goes to stderr, in a notebook to the cell. `budget`:
    percent of the training time that watching may cost. `fail_on`: "warn" or "fail" raises TrimtabError at the end of a
    training with a finding of that severity. Raises TrimtabError for what cannot be fulfilled.
    """

    def __init__(
        self,
        record: str | os.PathLike[str] | None = None,
        select: Sequence[str] = (),
        ignore: Sequence[str] = (),
        html: str | os.PathLike[str] | None = None,
        fail_on: FailOn = "never",
        show: bool = True,
        budget: float = 3.0,
    ) -> None:
        check_settings(Settings().with_words(select, ignore, names=("select", "ignore")))
        if fail_on not in BARS:
            raise TrimtabError(f"fail_on is one of {', '.join(BARS)}; got {fail_on!r}")
        if html is not None:
            check_writable(os.fspath(html), "html")
        self.diagnosis: DisplayedDiagnosis | None = None
        self.trace: Trace | None = None
        self._record, self._budget = record, budget
        self._select, self._ignore = select, ignore
        self._html, self._show = html, show
        self._fail_on: FailOn = fail_on
        self._watcher: Watcher | None = None

    def _begin(self) -> None:
        """A training begins; one that never told of its end has ended by an error."""
        self._end(RuntimeError())
        self.diagnosis = self.trace = None
        self._watcher = Watcher(record=self._record, budget=self._budget).__enter__()

    def _end(self, error: BaseException | None = None) -> None:
        """The training is over, by itself or by an error; without one under way nothing is done."""
        watcher, self._watcher = self._watcher, None
        if watcher is None:
            return
        watcher.__exit__(None if error is None else type(error), error, None)
        try:
            self._report(watcher.trace(), cut_short=error is not None)
        except TrimtabError as failure:
            print(f"trimtab: {failure}", file=sys.stderr)
        except Exception as failure:  # a report that fails must not fail the training
            print(f"trimtab: the diagnosis failed ({type(failure).__name__}: {failure})", file=sys.stderr)
        if error is None and self.diagnosis is not None and is_reached(self.diagnosis, self._fail_on):
            raise TrimtabError(f"{str(self.diagnosis).splitlines()[0]} (fail_on={self._fail_on!r})")

    def _report(self, trace: Trace, cut_short: bool) -> None:
        self.trace = trace
        self.diagnosis = diagnose(trace, self._select, self._ignore)
        if self._show:
            show(self.diagnosis, cut_short)
        if self._html is not None:
            write_whole(os.fspath(self._html), page.render(self.diagnosis, trace))


def show(diagnosis: DisplayedDiagnosis, cut_short: bool) -> None:
    """Put the report below the cell of a notebook, elsewhere on stderr: stdout belongs to the script."""
    if in_notebook():
        from IPython.display import display

        display(diagnosis)
    else:
        if cut_short:
            print(file=sys.stderr)  # a progress bar may stand on the line, and nobody has closed it
        terminal.write(diagnosis, diagnosis.trace, sys.stderr)


def in_notebook() -> bool:
    """Whether this is the kernel of a notebook; IPython in a terminal is none."""
    ipython: Any = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None
