"""What a worker holds after thousands of requests of many kinds: ``python -m benchmarks.bench_memory [N]``."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.bench_service import parcel
from benchmarks.servers import asked, processes
from tests.service.server import Server

N = 5000
MOST_MB = 350


def largest(server: Server) -> float:
    """Return the megabytes of the largest process of a server."""
    return max(process.memory_info().rss for process in processes(server)) / 1e6


def main() -> int:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else N
    paths = ("", ".html", "/parcel")
    lists = ("/v1/comparisons", "/comparisons", "/", "/v1/zones")
    with TemporaryDirectory() as home, asked(Path(home), "admin") as (server, client):
        before = largest(server)
        sent = 0
        while sent < n:
            answer = client.post("/v1/comparisons", content=parcel(), headers={"Content-Type": "application/json"})
            place = answer.raise_for_status().headers["location"]
            for path in (*(f"{place}{path}" for path in paths), *lists):
                client.get(path).raise_for_status()
            sent += 1 + len(paths) + len(lists)
        after = largest(server)
    print(
        f"the largest process: {before:.0f} MB at the start, {after:.0f} MB after {sent:,} requests, at most {MOST_MB}"
    )
    return int(after > MOST_MB)


if __name__ == "__main__":
    sys.exit(main())
