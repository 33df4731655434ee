"""What a worker holds after thousands of requests of many kinds: ``python -m benchmarks.bench_memory [N]``."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2
import psutil

from benchmarks.bench_service import parcel
from service.register.keys import create_key
from service.settings import Settings
from tests.service.server import Server

N = 5000
MOST_MB = 350


def largest(server: Server) -> float:
    """Return the megabytes of the largest process of a server."""
    launcher = psutil.Process(server.process.pid)
    return max(process.memory_info().rss for process in (launcher, *launcher.children(recursive=True))) / 1e6


def main() -> int:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else N
    with TemporaryDirectory() as home:
        headers = {"Authorization": f"Bearer {create_key(Settings(home=Path(home)), 'admin')}"}
        with (
            Server(Path(home), KPF_RATE_PER_MINUTE="0") as server,
            httpx2.Client(base_url=server.url, headers=headers, timeout=120) as client,
        ):
            before = largest(server)
            asked = 0
            while asked < n:
                sent = client.post("/v1/comparisons", content=parcel(), headers={"Content-Type": "application/json"})
                place = sent.raise_for_status().headers["location"]
                for path in (
                    place,
                    f"{place}.html",
                    f"{place}/parcel",
                    "/v1/comparisons",
                    "/comparisons",
                    "/",
                    "/v1/zones",
                ):
                    client.get(path).raise_for_status()
                asked += 8
            after = largest(server)
    print(
        f"the largest process: {before:.0f} MB at the start, {after:.0f} MB after {asked:,} requests, at most {MOST_MB}"
    )
    return int(after > MOST_MB)


if __name__ == "__main__":
    sys.exit(main())
