"""A run on so many lines and columns of a terminal: how far it is, whether it learns, and what is found so far."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from rich.text import Text

from trimtab.core.finding import Finding, Severity
from trimtab.core.signal import LEARNING_RATE
from trimtab.core.trace import Trace
from trimtab.live.depth import Depth
from trimtab.live.following import Snapshot
from trimtab.live.glyphs import ASCII, UNICODE, Glyphs, sparkline
from trimtab.live.losses import average, shown_loss
from trimtab.report.document import fold
from trimtab.report.names import clean, shorten
from trimtab.report.quantity import quantity

_LABEL = 10
_SEVERITIES = {Severity.NOTE: "cyan", Severity.WARN: "yellow", Severity.FAIL: "red"}
_STATUS = {"sick": "bold red", "healthy": "bold green", "unseen": "bold yellow"}
_ENDS = {
    "end": "ended",
    "exit": "ended",
    "max-steps": "ended by --max-steps",
    "exception": "the script raised",
    "interrupt": "interrupted",
    "terminated": "terminated",
}


def lines(run: Snapshot, width: int, height: int, *, ascii_only: bool = False) -> list[Text]:
    """At most `height` lines of at most `width` cells; what has no room is left out from the end on, and counted."""
    glyphs = ASCII if ascii_only else UNICODE
    found, depth = list(_findings(run, glyphs)), Depth.of(run.trace)
    shown = [_header(run, width, glyphs), _numbers(run.trace), _loss(run.trace, width, glyphs)]
    fits = len(shown) + len(depth.labels) + len(found) <= height
    shown += depth.tall(width, glyphs) if fits else depth.flat(glyphs)
    kept = found[: max(height - len(shown), 0)]
    if kept and len(kept) < len(found):
        kept[-1].append(f", and {len(found) - len(kept)} more", "dim")
    return [_fitted(line, width, ascii_only) for line in [*shown, *kept][:height]]


def waiting(script: str, why: str, width: int, height: int, *, ascii_only: bool = False) -> list[Text]:
    """The view of a run of which nothing is known yet."""
    shown = [_title(script, Text("starting", "bold"), width, ASCII if ascii_only else UNICODE), Text(why, "dim")]
    return [_fitted(line, width, ascii_only) for line in shown[:height]]


def in_a_line(run: Snapshot) -> str:
    """The same for a log: one line of plain text."""
    losses = shown_loss(run.trace)
    parts = [f"step {run.trace.steps:,}"]
    if len(losses):
        parts.append(f"loss {quantity(float(losses[-1]))} (average {quantity(average(losses))})")
    parts.append("no training seen yet" if run.diagnosis.status == "unseen" else run.diagnosis.status)
    parts += [f"{clean(root.code)} {clean(root.name)}" for root, _ in fold(run.diagnosis)]
    return "  ".join([*parts, *([] if run.state == "running" else [how(run)])])


def how(run: Snapshot) -> str:
    """Whether the run goes, or how it ended."""
    if run.state != "ended":
        return "running" if run.state == "running" else "the run was killed"
    ended = str(run.trace.meta.get("ended"))
    return _ENDS.get(ended) or shorten(ended, 24)


def _header(run: Snapshot, width: int, glyphs: Glyphs) -> Text:
    right = Text(how(run), "bold" if run.state == "running" else "bold yellow")
    if run.seconds is not None:
        right.append(f" {_clock(run.seconds)}", "dim")
    return _title(run.diagnosis.script or "a run", right, width, glyphs)


def _title(script: str, right: Text, width: int, glyphs: Glyphs) -> Text:
    name = shorten(script.replace("\\", "/").rpartition("/")[2], max(width - right.cell_len - 20, 8))
    left = Text.assemble((f"{glyphs.rule * 2} ", "dim"), ("trimtab", "bold cyan"), f" {name} ")
    rule = glyphs.rule * max(width - left.cell_len - right.cell_len - 1, 1)
    return Text.assemble(left, (rule, "dim"), " ", right)


def _numbers(trace: Trace) -> Text:
    facts = [("step", f"{trace.steps:,}")]
    losses, rates = shown_loss(trace), trace[LEARNING_RATE]
    if len(losses):
        facts += [("loss", quantity(float(losses[-1]))), ("average", quantity(average(losses)))]
    if rates.size:
        latest = [quantity(float(rate)) for rate in rates[-1] if np.isfinite(rate)]
        facts += [("learning rate", ", ".join(dict.fromkeys(latest)))] if latest else []
    return Text("   ").join(Text.assemble((f"{name} ", "dim"), (value, "bold")) for name, value in facts)


def _loss(trace: Trace, width: int, glyphs: Glyphs) -> Text:
    line, losses = Text(f"{'loss':<{_LABEL}}", "dim"), shown_loss(trace)
    if not len(losses):
        return line.append("no training seen yet", "dim")
    ends = f"  {quantity(float(losses[0]))} {glyphs.to} {quantity(float(losses[-1]))}"
    for character in sparkline(losses, max(width - _LABEL - len(ends), 4), glyphs):
        line.append(character, "bold red" if character == glyphs.bad else "cyan")
    return line.append(ends, "dim")


def _findings(run: Snapshot, glyphs: Glyphs) -> Iterator[Text]:
    diagnosis = run.diagnosis
    folded = fold(diagnosis)
    if not folded and diagnosis.status == "healthy":
        waiting = f", {len(diagnosis.waiting)} wait for more steps" if diagnosis.waiting else ""
        words = f"{len(diagnosis.checked)} rules checked{waiting}"
        yield Text.assemble((f"{'HEALTHY':<{_LABEL}}", _STATUS["healthy"]), (words, "dim"))
    for place, (root, symptoms) in enumerate(folded):
        label = "" if place else diagnosis.status.upper()
        yield Text.assemble((f"{label:<{_LABEL}}", _STATUS[diagnosis.status]), _finding(root))
        for symptom in symptoms:
            yield Text.assemble((f"{'':<{_LABEL}}{glyphs.branch} ", "dim"), _finding(symptom))


def _finding(finding: Finding) -> Text:
    since = f"  since step {finding.since_step:,}"
    code = (clean(finding.code), _SEVERITIES[finding.severity])
    return Text.assemble(code, f" {clean(finding.name)}", (since, "dim"))


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _fitted(line: Text, width: int, ascii_only: bool) -> Text:
    if ascii_only:
        line.plain = line.plain.encode("ascii", "replace").decode()
    line.truncate(width, overflow="crop" if ascii_only else "ellipsis")
    line.no_wrap = True
    return line
