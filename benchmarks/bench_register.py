"""What it takes to list and search a register of a million comparisons, which came in ten thousand submissions.

Over HTTP, on SQLite and on PostgreSQL; with pages from the middle of every list.

``python -m benchmarks.bench_register [N]``; PostgreSQL is left out where it is not installed.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

import sqlalchemy as sa

from benchmarks.servers import asked, databases
from service.register.database import connect, writing
from service.register.opening import open_register
from service.settings import Settings
from tests.service.registers import examined

N = 1_000_000
ROUNDS = 15
MOST_SECONDS = 0.05

ZONES = ("berberati", "carnot", "nola", "boda", "bria", "ndele", "sam-ouandja", "mbaiki")
COMPARISONS = (
    *("", "sort=created_at", "sort=log10_lr", "sort=-log10_lr&limit=500", "conclusion=query"),
    *("conclusion=not_comparable", "conclusion=query&sort=log10_lr", "zone=berberati", "zone=lunda-norte"),
    *("zone=berberati&conclusion=query&sort=log10_lr", "zone=bria&sort=-log10_lr", "parcel_id=P-77"),
    *("exporter=House 7", "exporter=House 7&sort=-log10_lr", "exporter=nobody", "from=2024-02-01&to=2024-02-02"),
    *("q=p+77", "q=p+777", "q=house", "q=house+77+berb", "q=hou+77777", "q=zzz"),
    *("q=bria&conclusion=consistent&from=2024-03-01", "from=2017-01-01&to=2025-01-01&sort=log10_lr"),
    *("exporter=House 7&zone=bria", "exporter=House 7&conclusion=query&sort=log10_lr", "exporter=House 7&q=house"),
    *("zone=bria&from=2020-05-01&to=2020-05-08", "conclusion=query&from=2020-05-01&sort=-log10_lr"),
)
SUBMISSIONS = (
    *("", "sort=-due_at", "sort=received_at", "sort=-received_at&limit=500", "state=compared", "state=decided"),
    *("overdue=true", "overdue=false", "exporter=House 7", "exporter=nobody", "zone=berberati", "zone=bria"),
    *("zone=lunda-norte", "zone=bria&exporter=House 7&state=decided", "from=2024-02-01&to=2024-02-02"),
    *("from=2017-01-01&to=2025-01-01&zone=nola&sort=-received_at", "overdue=true&zone=bria"),
)


def routes(n: int) -> list[str]:
    """Return every list with its filters and orders, from beginning and middle, and what else is looked up."""
    deep = {
        "comparisons": (n // 2, ("", "conclusion=query", "zone=berberati", "zone=bria&sort=log10_lr", "q=house")),
        "submissions": (n // 200, ("", "sort=-received_at", "zone=bria", "state=decided&exporter=House 7")),
    }
    return [
        *(f"/v1/comparisons?{query}" for query in COMPARISONS),
        *(f"/v1/submissions?{query}" for query in SUBMISSIONS),
        *(f"/v1/{name}?before={middle}&{query}" for name, (middle, queries) in deep.items() for query in queries),
        *("/v1/certificates?", "/v1/certificates?certificate_no=CF-777", "/v1/certificates?before=500"),
        *(f"/v1/submissions/s{n // 200}", "/v1/register/head", "/v1/submissions.ics"),
        "/submissions",
    ]


NUMBERS = "WITH RECURSIVE numbers(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < :n)"
PART = "CAST(i AS BIGINT) * {parts} / (CAST(:n AS BIGINT) + 1)"
MOMENT = (
    f"CAST(2016 + {PART.format(parts=10)} AS TEXT)"
    f" || '-' || SUBSTR('0' || CAST(1 + {PART.format(parts=120)} % 12 AS TEXT), -2)"
    f" || '-' || SUBSTR('0' || CAST(1 + {PART.format(parts=3360)} % 28 AS TEXT), -2)"
    " || 'T03:04:05.' || SUBSTR('00000' || CAST(i % 1000000 AS TEXT), -6) || 'Z'"
)
"""Ten years from 2016 on, the one comparison after the other."""
ZONE = f"CASE i % 100 {' '.join(f'WHEN {at} THEN {zone!r}' for at, zone in enumerate(ZONES))} ELSE {ZONES[0]!r} END"
CONCLUSION = "CASE i % 10 WHEN 0 THEN 'query' WHEN 1 THEN 'inconclusive' ELSE 'consistent' END"
SUBMISSION = "'s' || CAST(1 + (i - 1) / 100 AS TEXT)"
LOG10_LR = "(i % 100003 * 7919 % 100003) / 30000.0 - 1.5"
STATEMENTS = (
    f"""INSERT INTO comparisons (position, id, created_at, actor, parcel_id, report_id, release, conclusion, log10_lr,
        declared, parcel, report, exporter, certificate_no, certificate_key, n_stones, carats, flags, submission_id)
        {NUMBERS} SELECT i, 'c' || CAST(i AS TEXT), {MOMENT}, 'key:bench', 'P-' || CAST(i AS TEXT), 'sha256:x', 'r',
        {CONCLUSION}, {LOG10_LR}, {ZONE}, :parcel, :report,
        'House ' || CAST(i % 500 AS TEXT), 'CF ' || CAST(i AS TEXT), 'cf' || CAST(i AS TEXT), 700, 150.5, '[]',
        {SUBMISSION}
        FROM numbers""",
    f"""INSERT INTO entries (position, id, kind, at, actor, subject, content, previous, hash)
        {NUMBERS} SELECT i, 'e' || CAST(i AS TEXT), 'comparison', {MOMENT}, 'key:bench', 'c' || CAST(i AS TEXT), '{{}}',
        '0', CAST(i AS TEXT) FROM numbers""",
    f"INSERT INTO declared_zones (zone_id, position, carats, created_at, log10_lr) {NUMBERS} "
    f"SELECT {ZONE}, i, 10.0, {MOMENT}, {LOG10_LR} FROM numbers",
    """INSERT INTO submissions (position, id, received_at, due_at, actor, state, exporter, note, file_name, n_parcels,
        n_bad, job_id, declared) SELECT i, 's' || CAST(i AS TEXT), at, at, 'key:bench',
        CASE WHEN i + 200 > :n / 100 THEN 'compared' ELSE 'decided' END, 'House', '', 'file.csv', 100, 0, 'j',
        ' berberati  carnot  nola  boda  bria  ndele  sam-ouandja  mbaiki '
        FROM (SELECT position / 100 AS i, created_at AS at FROM comparisons WHERE position % 100 = 0) AS lasts""",
    """INSERT INTO submission_parcels (submission_id, ordinal, parcel_id, exporter, declared, parcel, problems,
        comparison_id) SELECT submission_id, position % 100, parcel_id, exporter, declared, :parcel, '[]', id
        FROM comparisons""",
    f"""INSERT INTO certificates (certificate_key, certificate_no, reported_by, reported_on, note, added_at)
        {NUMBERS} SELECT 'cf' || CAST(i AS TEXT), 'CF ' || CAST(i AS TEXT), 'KP', '2020-01-01', '', {MOMENT}
        FROM numbers WHERE i <= 1000""",
    *(
        f"INSERT INTO words (word, position, created_at) {NUMBERS} SELECT {word}, i, {MOMENT} FROM numbers"
        for word in ("'p'", "'house'", "CAST(i AS TEXT)", "'cf'", ZONE, "'x' || CAST(i % 500 AS TEXT)")
    ),
)
"""Fills the tables faster than any client could; the hashes of the entries are none."""


def fill(settings: Settings, n: int) -> None:
    """Fill a register with `n` comparisons."""
    open_register(settings).dispose()
    engine = connect(settings.register_url)
    one = examined(1)
    values = {"n": n, "parcel": one.report.encode() * 3, "report": one.report.encode() * 6}
    is_sqlite = engine.dialect.name == "sqlite"
    with writing(engine) as connection:
        if is_sqlite:  # as much as the indexes need, so that filling them is no matter of the disk
            connection.execute(sa.text("PRAGMA cache_size = -2000000"))
        for statement in STATEMENTS:
            connection.execute(sa.text(statement if is_sqlite else _of_postgres(statement)), values)
    if not is_sqlite:  # what its own housekeeping does within a minute
        with engine.connect() as connection:
            connection.execute(sa.text("ANALYZE"))
            connection.commit()
    engine.dispose()


def _of_postgres(statement: str) -> str:
    for text, own in (("SUBSTR('0' ||", "RIGHT('0' ||"), ("SUBSTR('00000' ||", "RIGHT('00000' ||"), (", -2)", ", 2)")):
        statement = statement.replace(text, own)
    return statement.replace(", -6)", ", 6)")


def measure(settings: Settings, n: int) -> float:
    """Print the median time of every query, and return the longest of them."""
    longest = 0.0
    with asked(settings.home, "viewer", "--no-worker", database_url=settings.database_url) as (_, client):
        for route in routes(n):
            times = []
            for _ in range(ROUNDS):
                started = time.perf_counter()
                answer = client.get(route).raise_for_status()
                times.append(time.perf_counter() - started)
            middle = statistics.median(times)
            longest = max(longest, middle)
            items = f"{len(answer.json()['items']):3} items" if '"items":' in answer.text else "one     "
            print(f"  {middle * 1e3:7.1f} ms  {items}  {route}", flush=True)
    return longest


def main() -> int:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else N
    longest: list[float] = []
    with databases() as kinds:
        for name, url in kinds.items():
            with tempfile.TemporaryDirectory() as home:
                settings = Settings(home=Path(home), database_url=url)
                started = time.perf_counter()
                fill(settings, n)
                print(f"{name}: {n:,} comparisons, filled in {time.perf_counter() - started:.0f} s", flush=True)
                longest.append(measure(settings, n))
    print(f"the slowest median is {max(longest) * 1e3:.0f} ms, at most {MOST_SECONDS * 1e3:.0f}")
    return int(max(longest) > MOST_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
