"""`python -m clinic verify` checks the programs, `score` runs trimtab on them, `fix` lets it mend them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from clinic.verify import verify


def main(argv: list[str] | None = None) -> int:
    """Run one subcommand and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m clinic", description=__doc__)
    parser.add_argument("command", choices=("verify", "score", "fix"))
    parser.add_argument("names", nargs="*", help="programs by name (sick/deep_sigmoid_mlp), stem or kind; default: all")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="score: leave the records here")
    parser.add_argument("--peer", action="store_true", help="score: ask torchmortem about the same programs")
    parser.add_argument("--jobs", type=int, default=2, help="programs run side by side")
    args = parser.parse_intermixed_args(argv)
    if args.command == "verify":
        return verify(args.names, args.jobs)
    if args.command == "fix":
        from clinic.repairs import fix

        return fix(args.names, args.jobs)
    from clinic.score import score

    return score(args.names, args.jobs, keep=args.keep and args.keep.resolve(), peer=args.peer)


if __name__ == "__main__":
    sys.exit(main())
