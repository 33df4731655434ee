"""What BentoML and the launcher cost: the same door and handler, served by us and by a bare uvicorn, turn by turn."""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import uvicorn
from starlette.applications import Starlette

from benchmarks.servers import asked
from service.door.stack import door
from service.endpoints import ENDPOINTS, routed
from service.pages.problems import problem_response, refusal_response
from service.routes.comparisons import COMPARE, submitted
from service.settings import read_settings
from service.work.place import Workplace
from tests.service.server import free_port

ROUNDS, REQUESTS, AT_ONCE = 6, 80, 4
N_STONES = 1000
MOST_TIMES, MOST_SLOWER, MOST_SPREAD = 1.3, 1.5, 2.5


def bare(port: int) -> None:
    """Serve comparisons with nothing but uvicorn around the door."""
    import gc

    work = Workplace(read_settings())
    work.release()
    gc.collect()
    gc.freeze()
    app = Starlette(routes=[routed(COMPARE, submitted)])
    inside = door(app, work=work, endpoints=ENDPOINTS, tell=refusal_response, tell_plainly=problem_response)
    uvicorn.run(inside, host="127.0.0.1", port=port, log_level="warning", access_log=False)


def parcel() -> bytes:
    rng = random.Random(1)
    stones = {
        "weight_ct": [round(rng.uniform(0.1, 2.0), 2) for _ in range(N_STONES)],
        "colour": rng.choices(["brown", "white", "cape"], k=N_STONES),
        "morphology": rng.choices(["octahedron", "cube"], k=N_STONES),
    }
    return json.dumps({"parcel_id": "B", "declarations": [{"zone_id": "berberati"}], "stones": stones}).encode()


def round_of(client: httpx2.Client, body: bytes) -> tuple[float, list[float]]:
    """Return requests a second, and the seconds of each."""

    def ask(_: int) -> float:
        started = time.perf_counter()
        client.post("/v1/comparisons", content=body).raise_for_status()
        return time.perf_counter() - started

    started = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        seconds = list(pool.map(ask, range(REQUESTS)))
    return REQUESTS / (time.perf_counter() - started), seconds


def middle_and_last(seconds: list[float]) -> tuple[float, float]:
    """Return the median and the 99th percentile."""
    return statistics.median(seconds), statistics.quantiles(seconds, n=100)[98]


def main() -> int:
    home, port, body = Path(tempfile.mkdtemp()), free_port(), parcel()
    surroundings = os.environ | {"KPF_HOME": str(home), "KPF_RATE_PER_MINUTE": "0"}
    command = [sys.executable, "-m", "benchmarks.bench_service", "bare", str(port)]
    rates: dict[str, list[float]] = {"served": [], "bare": []}
    times: dict[str, list[float]] = {"served": [], "bare": []}
    with asked(home, "monitor") as (_, served):
        served.headers["Content-Type"] = "application/json"
        plain = subprocess.Popen(command, env=surroundings)
        try:
            patient = httpx2.HTTPTransport(retries=8)  # it begins to listen after some seconds
            url = f"http://127.0.0.1:{port}"
            own = httpx2.Client(base_url=url, headers=served.headers, timeout=60, transport=patient)
            clients = {"served": served, "bare": own}
            for client in clients.values():
                round_of(client, body)
            for _ in range(ROUNDS):
                for name, client in clients.items():
                    rate, seconds = round_of(client, body)
                    rates[name].append(rate)
                    times[name] += seconds
        finally:
            plain.terminate()
            plain.wait()
    for name in rates:
        middle, last = (1e3 * seconds for seconds in middle_and_last(times[name]))
        print(f"{name:8} {statistics.median(rates[name]):6.1f} requests/s   p50 {middle:5.0f} ms   p99 {last:5.0f} ms")
    ratio = statistics.median(a / b for a, b in zip(rates["bare"], rates["served"], strict=True))
    middle, last = middle_and_last(times["served"])
    slower, spread = middle / middle_and_last(times["bare"])[0], last / middle
    print(f"bare uvicorn answers {ratio:.2f} times as many requests, at most {MOST_TIMES}")
    print(f"p50 is {slower:.2f} times that of bare uvicorn, at most {MOST_SLOWER}, register's write and all")
    print(f"p99 is {spread:.2f} times p50, at most {MOST_SPREAD}")
    return int(ratio > MOST_TIMES or slower > MOST_SLOWER or spread > MOST_SPREAD)


if __name__ == "__main__":
    if sys.argv[1:2] == ["bare"]:
        bare(int(sys.argv[2]))
    else:
        sys.exit(main())
