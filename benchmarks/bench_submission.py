"""What receiving a large submission costs beside the same parcels on the command line.

``python -m benchmarks.bench_submission [N]``: the seconds of processors from the upload until every parcel of it is
compared, kept, chained and flagged, over those of ``kpfootprint batch``; on SQLite, and on PostgreSQL where that is
installed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.bench_batch import write_submission
from benchmarks.servers import asked, databases, processes
from tests.service.server import Server

N = 2240
MOST_TIMES = 1.3
LOOK_EVERY = 2.0
"""Seconds between two looks at the job, which the service pays for."""


def batch(submission: Path) -> float:
    """Return the seconds of processors that a batch takes."""
    command = [sys.executable, "-m", "kpfootprint", "batch", str(submission), "--out", os.devnull]
    before = os.times()
    subprocess.run(command, check=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def received(home: Path, archive: Path, url: str | None) -> float:
    """Return the seconds of processors from the upload to the end of its job, those of a database server left out."""
    with asked(home, "monitor", database_url=url) as (server, client):
        started = used(server)
        with archive.open("rb") as file:
            sent = client.post("/v1/submissions", files={"file": (archive.name, file)}).raise_for_status().json()
        while (job := client.get(sent["job"]).json())["state"] in {"queued", "running"}:
            time.sleep(LOOK_EVERY)
        seconds = used(server) - started
    assert job["state"] == "done", job
    return seconds


def used(server: Server) -> float:
    """Return the seconds of processors that the processes of a server have had, those that have ended too."""
    times = [process.cpu_times() for process in processes(server)]
    return sum(one.user + one.system + one.children_user + one.children_system for one in times)


def main() -> int:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else N
    worst = 0.0
    with TemporaryDirectory() as folder, databases() as kinds:
        submission = write_submission(Path(folder) / "submission", n)
        archive = Path(shutil.make_archive(str(Path(folder) / "packed"), "zip", submission))
        for name, url in kinds.items():
            first = batch(submission)
            over_http = received(Path(folder) / name, archive, url)
            again = batch(submission)
            times = 2 * over_http / (first + again)
            worst = max(worst, times)
            print(f"{name}, {n:,} parcels: batch {first:.1f} and {again:.1f} s, as a submission {over_http:.1f} s")
            print(f"{times:.2f} times as long, at most {MOST_TIMES}", flush=True)
    return int(worst > MOST_TIMES)


if __name__ == "__main__":
    sys.exit(main())
