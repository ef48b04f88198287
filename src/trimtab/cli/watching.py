"""The watcher of a program that is not ours: it begins when torch arrives, and may never begin."""

from __future__ import annotations

import datetime
import os
import sys
from typing import TYPE_CHECKING, Any

from trimtab.cli.status import StatusLine
from trimtab.version import __version__

TRIAL = "TRIMTAB_TRIAL"  # set for the child runs of `trimtab fix`

if TYPE_CHECKING:
    from trimtab.cli.launch import Terms
    from trimtab.cli.program import Program
    from trimtab.core.trace import Trace


class Watching:
    """Watches this process from the first import of torch on, into a record at an absolute path."""

    def __init__(self, record: str, program: Program, terms: Terms) -> None:
        self._record = record
        self._script = program.name
        self._file = program.file
        self._suppressions = ""
        self._terms = terms
        self._quiet = terms.quiet
        self._enactment: Any = None
        self._places: Any = None
        self._started = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
        self._watcher: Any = None
        self._status: StatusLine | None = None
        self._trouble: str | None = None
        self.kept = True  # whether the record is this run's
        self._pid = os.getpid()

    def begin(self) -> None:
        """Start the watcher; whatever goes wrong with it, the program goes on."""
        if os.getpid() != self._pid:
            return  # a forked child is the first to import torch: the record is its parent's
        try:
            from trimtab.watching import Watcher

            if self._terms.seed:
                from trimtab.trial.seeds import shift_seeds

                shift_seeds(self._terms.seed)
            if self._terms.recipe:
                from trimtab.trial.enact import Enactment

                self._enactment = Enactment(self._terms.recipe)
                self._enactment.install()
            watcher = Watcher(
                record=self._record,
                budget=self._terms.wishes.settings.budget,
                max_steps=self._terms.max_steps,
                script=self._script,
            )
            self._note_suppressions(watcher)
            watcher.start()
            if os.environ.get(TRIAL):
                from trimtab.trial.evaluations import Evaluations
                from trimtab.trial.places import Places

                Evaluations(watcher)
                self._places = Places()
        except Exception as error:
            self._trouble = f"{type(error).__name__}: {error}"
            if not self._quiet:
                print(f"trimtab: this run is not watched ({self._trouble})", file=sys.stderr)
            return
        self._watcher = watcher
        if not self._quiet:
            self._status = StatusLine(watcher)

    def end(self, how: str) -> Trace:
        """Stop the watcher and give what it saw; without one, a trace and a record of no steps."""
        if self._status is not None:
            self._status.stop()
        if self._watcher is not None:
            self._note_suppressions(self._watcher)
            self._watcher.stop(how, **self._facts())
            return self._watcher.trace()
        return self._unseen(how)

    def _note_suppressions(self, watcher: Any) -> None:
        """Keep what comments of the script ask for, once its file is known: that of a module only while it runs."""
        from trimtab.core.suppression import noted

        path = self._file or getattr(sys.modules["__main__"], "__file__", None)
        if self._suppressions or not isinstance(path, str):
            return
        self._suppressions = noted(_source(path), os.path.basename(path))
        if self._suppressions:
            watcher.remember(suppressions=self._suppressions)

    def _facts(self) -> dict[str, str]:
        """The recipe, what could not be made of it in this script, and where things are done, for the record."""
        facts = {f"place_{place}": line for place, line in self._places.found.items()} if self._places else {}
        if self._enactment is not None:
            self._enactment.remove()
            facts |= self._enactment.facts()
        return facts

    def _unseen(self, how: str) -> Trace:
        from trimtab.core.trace import Event
        from trimtab.record import Writer

        meta = {
            "script": self._script,
            "started": self._started,
            "ended": how,
            "overhead": 0.0,
            "trimtab": __version__,
            "torch": None,
        }
        if self._trouble and os.path.exists(self._record) and os.path.getsize(self._record):
            self.kept = False  # no watcher could begin: what is there is of another run, perhaps one that goes on
        writer = Writer(self._record if self.kept else None, meta)
        what = self._trouble or "torch was never imported"
        writer.event(Event(0, "unseen", {"reason": what, "what": what}))
        trace = writer.trace()
        writer.close()
        return trace

    def discard(self) -> None:
        """Take an empty record away: nothing was run."""
        if self._watcher is None and os.path.exists(self._record) and not os.path.getsize(self._record):
            os.remove(self._record)


def _source(path: str) -> str:
    """The text of a script, in the encoding that it declares; empty where there is none."""
    import tokenize

    try:
        with tokenize.open(path) as file:
            return file.read()
    except (OSError, SyntaxError, UnicodeDecodeError):
        return ""
