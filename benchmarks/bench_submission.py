"""What receiving a large submission costs beside the same parcels on the command line.

``python -m benchmarks.bench_submission [N]``: the seconds from the upload until every parcel of it is compared, kept,
chained and flagged, over those of ``kpfootprint batch``.
"""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2

from benchmarks.bench_batch import run, write_submission
from service.register.keys import create_key
from service.settings import Settings
from tests.service.server import Server

N = 2240
MOST_TIMES = 1.3


def received(home: Path, archive: Path) -> float:
    """Return the seconds from the upload to the end of its job."""
    key = create_key(Settings(home=home), "monitor")
    headers = {"Authorization": f"Bearer {key}"}
    with Server(home) as server, httpx2.Client(base_url=server.url, headers=headers, timeout=600) as client:
        started = time.perf_counter()
        with archive.open("rb") as file:
            sent = client.post("/v1/submissions", files={"file": (archive.name, file)}).raise_for_status().json()
        while (job := client.get(sent["job"]).json())["state"] in {"queued", "running"}:
            time.sleep(0.2)
        seconds = time.perf_counter() - started
    assert job["state"] == "done", job
    return seconds


def main() -> int:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else N
    with TemporaryDirectory() as folder:
        submission = write_submission(Path(folder) / "submission", n)
        archive = Path(shutil.make_archive(str(Path(folder) / "packed"), "zip", submission))
        first, _ = run(submission)
        over_http = received(Path(folder) / "home", archive)
        again, _ = run(submission)
    batch = (first + again) / 2
    print(f"{n:,} parcels: batch {batch:.1f} s, as a submission {over_http:.1f} s")
    print(f"{over_http / batch:.2f} times as long, at most {MOST_TIMES}")
    return int(over_http / batch > MOST_TIMES)


if __name__ == "__main__":
    sys.exit(main())
