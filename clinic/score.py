"""Run trimtab on every program and write what it found to docs/scoreboard.md."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from clinic.board import render, totals
from clinic.examine import examine
from clinic.launch import in_parallel
from clinic.peer import examine_by_peer
from clinic.programs import discover
from clinic.repairs import BOARD, section


def score(names: Sequence[str], workers: int, board: Path = BOARD, keep: Path | None = None, peer: bool = False) -> int:
    """Examine the programs, write the board (print it for a part of them), and return 1 if one is not right.

    `keep` is a folder for the records; `peer` asks torchmortem about the same programs.
    """
    programs = discover(names)
    if keep is not None:
        shutil.rmtree(keep, ignore_errors=True)
        keep.mkdir(parents=True)
    found = {p.name: s for p, s in in_parallel(partial(examine, keep=keep), programs, workers, "score")}
    scores = [found[p.name] for p in programs]
    peers = {p.name: s for p, s in in_parallel(examine_by_peer, programs, workers, "peer")} if peer else {}
    text = render(scores, [peers[p.name] for p in programs] if peer else [])
    if names:
        print(text)
    else:
        board.parent.mkdir(exist_ok=True)
        board.write_text(text + section(), encoding="utf-8")
        print("\n".join(totals(scores)))
        print(f"written: {board}")
    return 0 if all(s.right for s in scores) else 1
