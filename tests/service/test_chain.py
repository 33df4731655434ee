"""The chain of entries: append-only, hashed, and every touch is found, on both databases."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from service import clock
from service.register import comparisons, entries
from service.register.activations import activate, before_the_last
from service.register.comparisons import Once, Search, page_of
from service.register.database import reading, registering
from service.register.opening import HEAD, migrate, open_register, version
from service.register.verify import verify
from service.settings import Settings
from tests.service.registers import examined, kept, report_of, tampered
from tests.service.server import PATIENCE


@pytest.mark.parametrize("act", ["UPDATE {t} SET actor = 'x'", "DELETE FROM {t}"])
@pytest.mark.parametrize("table", ["entries", "comparisons"])
def test_what_was_acknowledged_cannot_be_changed(engine: sa.Engine, act: str, table: str) -> None:
    kept(engine)
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), registering(engine) as connection:
        connection.execute(sa.text(act.format(t=table)))
    assert verify(engine).wrong is None


def test_a_chain_is_whole(engine: sa.Engine) -> None:
    assert verify(engine).entries == 0
    for number in range(5):
        kept(engine, examined(number))
    activate(engine, "a", "t")
    verdict = verify(engine)
    assert (verdict.entries, verdict.wrong) == (6, None)
    with reading(engine) as connection:
        found = list(entries.walk(connection))
        assert entries.head(connection).hash == verdict.hash
    assert [entry.position for entry in found] == [1, 2, 3, 4, 5, 6]
    assert found[0].previous == entries.GENESIS
    assert verify(engine, found[2].hash).wrong is None


@pytest.mark.parametrize(
    ("statement", "wrong"),
    [
        ("UPDATE entries SET actor = 'somebody else' WHERE position = 3", 3),
        ("UPDATE entries SET content = '{}' WHERE position = 3", 3),
        ("UPDATE entries SET at = '2020-01-01T00:00:00.000000Z' WHERE position = 3", 3),
        ("DELETE FROM entries WHERE position = 3", 3),
        ("UPDATE entries SET position = 9 WHERE position = 3", 3),
        ("UPDATE comparisons SET conclusion = 'query' WHERE position = 3", 3),
        ("UPDATE comparisons SET report = parcel WHERE position = 3", 3),
        ("UPDATE comparisons SET exporter = 'Another' WHERE position = 3", 3),
        ("UPDATE comparisons SET created_at = '2020-01-01T00:00:00.000000Z' WHERE position = 3", 3),
        ("UPDATE comparisons SET flags = '[{}]' WHERE position = 3", 3),
        ("UPDATE comparisons SET carats = 9 WHERE position = 3", 3),
        ("UPDATE comparisons SET actor = 'somebody else' WHERE position = 3", 3),
        ("UPDATE comparisons SET declared = 'bria' WHERE position = 3", 3),
        ("UPDATE entries SET at = 'noon' WHERE position = 3", 3),
        ("UPDATE entries SET content = 'nothing' WHERE position = 3", 3),
        ("UPDATE entries SET content = '[]' WHERE position = 3", 3),
        ("UPDATE comparisons SET created_at = 'noon' WHERE position = 3", 3),
        ("UPDATE comparisons SET flags = NULL WHERE position = 3", 3),
        ("DELETE FROM declared_zones WHERE position = 3", 3),
        ("UPDATE declared_zones SET carats = 9 WHERE position = 3", 3),
        ("UPDATE declared_zones SET log10_lr = 9 WHERE position = 3", 3),
        ("UPDATE words SET created_at = '2020-01-01T00:00:00.000000Z' WHERE position = 3", 3),
        ("INSERT INTO words SELECT 'put', position, created_at FROM words WHERE position = 3 LIMIT 1", 3),
        ("DELETE FROM stone_marks WHERE position = 3", 3),
        (
            "INSERT INTO entries SELECT 6, 'new', kind, at, actor, subject, content, previous, hash "
            "FROM entries WHERE position = 5",
            6,
        ),
    ],
)
def test_every_touch_is_found(engine: sa.Engine, statement: str, wrong: int) -> None:
    for number in range(5):
        kept(engine, examined(number, marks=(7, number)))
    tampered(engine, statement)
    verdict = verify(engine)
    assert verdict.wrong == wrong
    assert verdict.reason


def test_a_tail_that_was_cut_off_is_found_by_a_head_kept_elsewhere(engine: sa.Engine) -> None:
    for _ in range(3):
        activate(engine, "a", "t")
    head = verify(engine).hash
    tampered(engine, "DELETE FROM entries WHERE position = 3")
    assert verify(engine).wrong is None
    assert verify(engine, head).wrong == 3


@pytest.mark.slow
def test_two_writers_make_one_chain(settings: Settings) -> None:
    open_register(settings).dispose()
    code = (
        "import sys; from service.register.opening import open_register; from service.settings import Settings;"
        "from service.register.activations import activate\n"
        "engine = open_register(Settings.model_validate_json(sys.argv[1]))\n"
        "for n in range(25): activate(engine, str(n), sys.argv[2])"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", code, settings.model_dump_json(), str(number)]) for number in range(2)
    ]
    assert [process.wait(PATIENCE) for process in started] == [0, 0]
    engine = open_register(settings)
    verdict = verify(engine)
    assert (verdict.entries, verdict.wrong) == (50, None)
    engine.dispose()


def test_a_clock_that_is_set_back_changes_no_order(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    activate(engine, "a", "t")
    monkeypatch.setattr(clock, "now", lambda: datetime.now(UTC) - timedelta(days=1))
    activate(engine, "b", "t")
    with reading(engine) as connection:
        first, second = entries.walk(connection)
        assert second.at >= first.at
        assert entries.time_of_register(connection) >= first.at


def test_an_old_register_is_told_again_as_a_chain(settings: Settings, tmp_path: Path) -> None:
    from service.register.comparisons import packed
    from service.register.database import connect
    from service.register.opening import begin

    if settings.database_url is None:
        begin(tmp_path / "register.db")
    engine = connect(settings.register_url)
    migrate(engine, "0001")
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        for number in range(20):
            moment = f"2026-01-02T03:04:{number:02}.000000Z"
            old = examined(7, content={"created_at": moment})
            row = {
                "id": f"{number:020}",
                "created_at": moment,
                "actor": "key:a",
                "parcel_id": "P-7",
                "report_id": "sha256:7",
                "release": "r",
                "conclusion": "consistent",
                "log10_lr": 0.7,
                "declared": "berberati",
                "parcel": packed('{"parcel_id":"P-7","exporter":"Badica","declarations":[{"zone_id":"berberati"}]}'),
                "report": packed(old.report),
            }
            names = ", ".join(row)
            connection.execute(
                sa.text(f"INSERT INTO comparisons ({names}) VALUES ({', '.join(':' + name for name in row)})"), row
            )
        connection.execute(
            sa.text("INSERT INTO activations (release, activated_at, actor) VALUES ('a', '2026-01-02T03:04:10Z', 'x')")
        )
    migrate(engine)
    assert version(engine) == HEAD
    verdict = verify(engine)
    assert (verdict.entries, verdict.wrong) == (21, None)
    found, _ = page_of(engine, before=None, limit=50, search=Search(zone="berberati", exporter="Badica", q="badi p"))
    assert len(found) == 20
    assert report_of(engine, found[0].id) == old.report
    assert before_the_last(engine) is not None
    migrate(engine, "0001")
    assert version(engine) == "0001"
    with reading(engine) as connection:
        assert connection.scalar(sa.text("SELECT release FROM activations")) == "a"
    migrate(engine)
    assert verify(engine).wrong is None
    engine.dispose()


def test_comparisons_are_read_as_they_were_kept(engine: sa.Engine) -> None:
    ids = []
    for number in range(3):
        one = examined(number)
        ids.append(kept(engine, one, once=Once(actor="key:test", key=str(number), request_sha256="0")))
        assert report_of(engine, ids[-1]) == one.report
    found, further = page_of(engine, before=None, limit=2)
    assert [entry.id for entry in found] == ids[:0:-1]
    found, further = page_of(engine, before=further, limit=2)
    assert ([entry.id for entry in found], further) == (ids[:1], None)


@pytest.mark.parametrize("sort", ["created_at", "-created_at", "log10_lr", "-log10_lr"])
def test_pages_of_every_order_hold_everything_once(engine: sa.Engine, sort: str) -> None:
    for number in (3, 1, 2, 1):
        kept(engine, examined(number))
    for number in (8, 9):
        kept(engine, examined(number, content={"verification": None}))
    whole, _ = page_of(engine, before=None, limit=50, search=Search(sort=sort))
    assert len(whole) == 6
    walked = []
    before = None
    while True:
        found, before = page_of(engine, before=before, limit=2, search=Search(sort=sort))
        walked += [item.id for item in found]
        if before is None:
            break
    assert walked == [item.id for item in whole]
    if "log10_lr" in sort:
        values = [item.log10_lr for item in whole]
        assert values[4:] == [None, None]
        assert values[:4] == sorted((v for v in values[:4] if v is not None), reverse=sort.startswith("-"))


def test_a_search_narrows(engine: sa.Engine) -> None:
    kept(engine, examined(1, document={"exporter": "Bureau d'achat Éléphant", "certificate_no": "CF 0042"}))
    kept(engine, examined(2, content={"conclusion": "query"}))

    def found(**asked: object) -> list[str]:
        return [item.parcel_id for item in page_of(engine, before=None, limit=9, search=Search(**asked))[0]]  # type: ignore[arg-type]

    assert found() == ["P-2", "P-1"]
    assert found(q="elephant") == ["P-1"]
    assert found(q="cf 0042") == ["P-1"]
    assert found(q="ele p") == ["P-1"]
    assert found(q="nothing") == []
    assert found(conclusion="query") == ["P-2"]
    assert found(exporter="Badica") == ["P-2"]
    assert found(zone="bria") == []
    assert found(parcel_id="P-1") == ["P-1"]
    assert found(start=datetime(2026, 1, 3, tzinfo=UTC)) == []
    assert found(end=datetime(2026, 1, 3, tzinfo=UTC)) == ["P-2", "P-1"]


def walked(engine: sa.Engine, search: Search) -> list[str]:
    """Return what a search finds, page by page."""
    names: list[str] = []
    before = None
    while True:
        found, before = page_of(engine, before=before, limit=7, search=search)
        names += [item.parcel_id for item in found]
        if before is None:
            return names


@pytest.mark.slow
def test_a_search_finds_the_same_whether_few_are_looked_up_or_many_walked(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(60):
        content: dict[str, Any] = {
            "created_at": f"2026-01-{1 + number * 7 % 28:02}T03:04:05+00:00",
            "conclusion": ("query", "consistent")[number % 2],
            "verification": {"log10_lr": number * 7 % 11 / 10},
        }
        content["parcel"] = {
            "parcel_id": f"P-{number}",
            "declared": [{"zone_id": ("bria", "berberati", "boda")[number % 3], "carats": 2.5}],
            "n_stones": 3,
            "carats": 2.5,
        }
        kept(engine, examined(number, content=content, document={"exporter": f"House {number % 4}"}))
    searches = [
        Search(sort=sort, **asked)
        for sort in ("-created_at", "created_at", "log10_lr", "-log10_lr")
        for asked in (
            *({"zone": "bria"}, {"zone": "bria", "conclusion": "query"}, {"q": "house"}, {"q": "b"}, {"q": "1"}),
            *({"q": "house bria 2"}, {"q": "bri", "conclusion": "consistent"}, {"zone": "boda", "q": "b h"}),
            {"q": "hou", "start": datetime(2026, 1, 5, tzinfo=UTC), "end": datetime(2026, 1, 20, tzinfo=UTC)},
            *({"zone": "boda", "exporter": "House 1"}, {"q": "house", "parcel_id": "P-7"}),
        )
    ]
    looked_up = [walked(engine, search) for search in searches]
    assert all(looked_up)
    monkeypatch.setattr(comparisons, "FEW", 2)
    monkeypatch.setattr(comparisons, "SHORT", 0)
    for search, found in zip(searches, looked_up, strict=True):
        assert walked(engine, search) == found, search
    monkeypatch.setattr(comparisons, "SHORT", 2)
    assert {"P-1", "P-5"} <= {*walked(engine, Search(q="1"))}, "a short word of many is taken whole: 1, and House 1"
    assert "P-12" not in walked(engine, Search(q="1"))
