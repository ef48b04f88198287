"""Where in the program a finding belongs: a file and a line, as exactly as they are known."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from trimtab.core.finding import Finding
from trimtab.core.trace import Trace
from trimtab.report.layer_lines import line_of_layer
from trimtab.report.script_files import files_of

_LINE = re.compile(r"^(?P<file>.+):(?P<line>\d+)$")


@dataclass(frozen=True, slots=True)
class Place:
    """A file, relative to the root with `/` between where it lies in it, and a line from 1 on."""

    file: str
    line: int = 1


class Places:
    """Looks up findings in the program that made a trace.

    `root` is the folder of the checkout around `home`, or `home` itself: reviews name files from there.
    """

    def __init__(self, trace: Trace, script: str | None, home: str) -> None:
        self._trace = trace
        self._home = Path(home).resolve()
        self._script = script
        self._trees = files_of(self._script, self._home)
        self.root = next(
            (folder for folder in (self._home, *self._home.parents) if (folder / ".git").exists()), self._home
        )

    def of(self, finding: Finding) -> Place | None:
        """The best known place: a recorded line, the line that builds the layer, else the script's first line.

        Faults of the optimizer's settings (TT4xx) are placed where it is made, faults without a layer at the loss.
        """
        recorded = self._recorded(finding)
        if recorded is None and finding.code.startswith("TT4"):
            recorded = self._line_of("optimizer")
        return recorded or self._layer(finding) or self._line_of("loss") or self.script

    @property
    def script(self) -> Place | None:
        """The script itself; None for a run that had none."""
        if self._trees:
            return Place(self._relative(next(iter(self._trees))))
        if self._script is None:
            return None
        return Place(self._relative(self._home / self._script.removeprefix("-m ")))

    def _recorded(self, finding: Finding) -> Place | None:
        """The line that the record has of a loss or an optimizer which the finding names."""
        for name in finding.where:
            for kind in ("loss", "objective", "optimizer"):
                for site in self._trace.of(kind):
                    if site.name == name and (place := self._place(str(site.attrs.get("line") or ""))):
                        return place
        return next(filter(None, map(self._place, finding.where)), None)

    def _line_of(self, kind: str) -> Place | None:
        """The line of the only site of a kind; of several none is to blame."""
        sites = self._trace.of("optimizer" if kind == "optimizer" else "loss")
        lines = {str(site.attrs.get("line") or "") for site in sites}
        return self._place(lines.pop()) if len(lines) == 1 else None

    def _layer(self, finding: Finding) -> Place | None:
        after = {site.name: site.attrs.get("after") for site in self._trace.of("activation")}
        paths = list(self._trees)
        for name in finding.where:
            found = line_of_layer(list(self._trees.values()), str(after.get(name) or name))
            if found is not None:
                return Place(self._relative(paths[found[0]]), found[1])
        return None

    def _place(self, line: str) -> Place | None:
        """`train.py:57` with the folder of the file, where exactly one file of the program has that name."""
        match = _LINE.match(line)
        if match is None:
            return None
        files = [path for path in self._trees if path.name == match["file"]]
        if len(files) == 1 and int(match["line"]):
            return Place(self._relative(files[0]), int(match["line"]))
        return None

    def _relative(self, path: Path) -> str:
        absolute = Path(os.path.abspath(path))
        return absolute.relative_to(self.root).as_posix() if absolute.is_relative_to(self.root) else absolute.as_uri()
