"""The fixture `trimtab`: a test trains, and `trimtab.assert_healthy()` fails where it does not learn, and says why.

pytest imports this module at its start in every project, so nothing of torch or of trimtab is imported before a test
asks for the fixture.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

if TYPE_CHECKING:
    from trimtab.pipeline import HasTrace
    from trimtab.report.display import DisplayedDiagnosis
    from trimtab.watching import Watcher


@pytest.fixture
def trimtab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrainingTest]:
    """Watches what the test trains, from here to its end, or inside `with trimtab.watch():` where the test says so."""
    watched = TrainingTest(tmp_path_factory.mktemp("trimtab"))
    try:
        yield watched
    finally:
        watched.stop()


class TrainingTest:
    """The value of the fixture `trimtab`; each watched stretch has its own record in `folder`, which pytest keeps."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stretches = 0
        self._whole_test = True
        self._watcher = self._watch().__enter__()

    def watch(self, model: Any = None, optimizer: Any = None, **options: Any) -> Watcher:
        """Watch the trainings inside this `with` block, as `trimtab.watch` does, and those of no other place."""
        if self._whole_test:
            self.stop()
            self._whole_test = False
        self._watcher = self._watch(model, optimizer, **options)
        return self._watcher

    def diagnose(
        self, source: HasTrace | None = None, *, select: Sequence[str] = (), ignore: Sequence[str] = ()
    ) -> DisplayedDiagnosis:
        """The diagnosis of `source`, by default of the last watched stretch; the arguments of `trimtab.diagnose`."""
        from trimtab.pipeline import diagnose

        return diagnose(self._watcher if source is None else source, select, ignore)

    def assert_healthy(
        self,
        source: HasTrace | None = None,
        *,
        select: Sequence[str] = (),
        ignore: Sequence[str] = (),
        at_most: Literal["note", "warn"] = "note",
    ) -> None:
        """Fail with the root cause where a finding is graver than `at_most`, or where no training was seen.

        `select` and `ignore` take codes or prefixes of rules.
        """
        __tracebackhide__ = True
        from trimtab.core.errors import TrimtabError
        from trimtab.core.finding import Severity

        if at_most not in ("note", "warn"):
            raise TrimtabError(f"at_most is note or warn; got {at_most!r}")
        diagnosis = self.diagnose(source, select=select, ignore=ignore)
        graver = any(finding.severity > Severity[at_most.upper()] for finding in diagnosis.findings)
        if graver or diagnosis.status == "unseen":
            raise AssertionError(_in_short(diagnosis))

    def stop(self) -> None:
        """End what is still watched."""
        self._watcher.stop()

    def _watch(self, model: Any = None, optimizer: Any = None, **options: Any) -> Watcher:
        from trimtab.watching import Watcher

        self._stretches += 1
        return Watcher(model, optimizer, **{"record": self._folder / f"run-{self._stretches}.db", **options})


def _in_short(diagnosis: DisplayedDiagnosis) -> str:
    """Verdict and first root cause in words, and how to see the rest."""
    from trimtab.cli.publishing import next_command
    from trimtab.report import terminal
    from trimtab.report.blocks import Section
    from trimtab.report.document import Document, words

    verdict, *others = words(diagnosis, diagnosis.trace).blocks
    first = [block for block in others if isinstance(block, Section)][:1]
    text = io.StringIO()
    terminal.show(Document((verdict, *first)), text)
    if diagnosis.record is None:
        return text.getvalue().strip()
    return f"{text.getvalue().strip()}\n\n{next_command('report', diagnosis.record)}"
