"""How long the command line takes to start, against an interpreter that does nothing."""

from __future__ import annotations

import subprocess
import sys
from statistics import median
from time import perf_counter

RUNS = 7


def seconds(arguments: list[str]) -> float:
    """Return the median time of a fresh process over `RUNS` runs."""
    times = []
    for _ in range(RUNS):
        start = perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
        times.append(perf_counter() - start)
    return median(times)


def main() -> None:
    """Print the ratio of each command's start to that of ``python -c pass``."""
    nothing = seconds(["-c", "pass"])
    for command in ("--version", "--help", "zones"):
        took = seconds(["-m", "kpfootprint", command])
        print(f"kpfootprint {command}: {took / nothing:.1f} times an empty interpreter ({took * 1000:.0f} ms)")


if __name__ == "__main__":
    main()
