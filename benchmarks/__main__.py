"""Runs every benchmark, or those named: ``python -m benchmarks [bench_NAME ...]``, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def run(names: list[str]) -> int:
    """Run the benchmarks of those names, one after the other, and return how many failed."""
    failed = 0
    for name in names:
        print(f"== {name}", flush=True)
        failed += subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:] or sorted(path.stem for path in Path(__file__).parent.glob("bench_*.py"))))
