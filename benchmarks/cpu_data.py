"""The standardiser against scikit-learn's on the CPU: one pass over 1 M × 100 float32.

    python benchmarks/cpu_data.py [--rounds N] [--threads N]

Method. All sides live in one process and take turns on the same array; the table gives medians over the rounds. Beside
them stand NumPy's own mean and variance and what memory allows, the sum of the array. The errors are the largest over
the columns, in standard deviations and relative, against sums in extended precision.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch
from sklearn.preprocessing import StandardScaler
from timing import Side, medians

from trimtab.data import Standardizer
from trimtab.kernels import native

ROWS, COLUMNS = 1_000_000, 100


def exact(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of each column, in extended precision."""
    found = []
    for column in x.T:
        wide = column.astype(np.longdouble)
        mean = wide.mean()
        found.append((mean, np.square(wide - mean).mean()))
    mean, variance = np.array(found).T
    return mean, variance


def lines(mean: float, rounds: int) -> list[str]:
    """The rows of the table for data of standard deviation 1."""
    x = np.random.default_rng(0).standard_normal((ROWS, COLUMNS), dtype=np.float32) + np.float32(mean)
    tensor = torch.from_numpy(x)
    sides: dict[str, Side] = {
        "ours": lambda: Standardizer().fit(x),
        "scikit-learn": lambda: StandardScaler().partial_fit(x),
        "NumPy": lambda: (x.mean(0, dtype=np.float64), x.var(0, dtype=np.float64)),
        "sum": lambda: tensor.sum(),
    }
    ours, theirs = Standardizer().fit(x), StandardScaler().partial_fit(x)
    known: dict[str, tuple[np.ndarray, np.ndarray]] = {
        "ours": (ours.mean.numpy(), ours.variance.numpy()),
        "scikit-learn": (np.asarray(theirs.mean_), np.asarray(theirs.var_)),
    }
    right, variance = exact(x)
    seconds, found = medians(sides, rounds), []
    for name, time in seconds.items():
        errors = ""
        if name in known:
            of_mean = float((abs(known[name][0] - right) / np.sqrt(variance)).max())
            errors = f"{of_mean:.1e} | {float((abs(known[name][1] / variance - 1)).max()):.1e}"
        found.append(f"| mean {mean:g} | {name} | {1e3 * time:.1f} | {time / seconds['ours']:.2f} | {errors or '|'} |")
    return found


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    print(f"{native.isa()}, {args.threads} threads, torch {torch.__version__}, {ROWS:,} × {COLUMNS} float32\n")
    print(
        "| data | side | ms | times ours | error of the mean | of the variance |\n|---|---|---|---|---|---|", flush=True
    )
    for mean in (0.0, 100.0, 1e4):
        print("\n".join(lines(mean, args.rounds)), flush=True)


if __name__ == "__main__":
    main()
