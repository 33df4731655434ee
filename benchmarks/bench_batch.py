"""What ten times as many parcels cost: time for each parcel, and the most memory that the batch ever held."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np

N_STONES = 200
FEW, MANY = 50, 500


def write_submission(folder: Path, n_parcels: int) -> Path:
    """Write parcels of stones whose weights are log-normal; what they are does not matter here."""
    folder.mkdir()
    rng = np.random.default_rng(20260501)
    parcels = [f"P-{at:05}" for at in range(n_parcels)]
    declared = "".join(f"{parcel},berberati,{N_STONES / 5}\n" for parcel in parcels)
    (folder / "declarations.csv").write_text("parcel_id,zone_id,carats\n" + declared, encoding="utf-8")
    with (folder / "stones.csv").open("w", encoding="utf-8") as stream:
        stream.write("parcel_id,weight_ct,colour,morphology\n")
        for parcel in parcels:
            weights = np.maximum(np.exp(rng.normal(-1.6, 0.7, N_STONES)), 0.04)
            colours = rng.choice(["colourless", "brown", "yellow"], N_STONES)
            for weight, colour in zip(weights, colours, strict=True):
                stream.write(f"{parcel},{weight:.2f},{colour},dodecahedron\n")
    return folder


def run(submission: Path) -> tuple[float, float]:
    """Return the seconds and the peak megabytes of one batch."""
    command = [sys.executable, "-m", "kpfootprint", "batch", str(submission), "--out", os.devnull]
    start = perf_counter()
    process = subprocess.Popen(command)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return perf_counter() - start, used.ru_maxrss / 1024


def main() -> None:
    """Print both runs and their ratios."""
    with TemporaryDirectory() as folder:
        few_s, few_mb = run(write_submission(Path(folder) / "few", FEW))
        many_s, many_mb = run(write_submission(Path(folder) / "many", MANY))
    print(
        f"{FEW} parcels of {N_STONES} stones: {few_s:.1f} s, {few_mb:.0f} MB; {MANY}: {many_s:.1f} s, {many_mb:.0f} MB"
    )
    time, memory = (many_s / MANY) / (few_s / FEW), many_mb / few_mb
    print(f"{MANY // FEW} times the parcels: {time:.2f} times the time a parcel, {memory:.2f} times the memory")


if __name__ == "__main__":
    main()
