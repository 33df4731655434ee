"""Experts who judge before they see, and who practise on parcels of known origin."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from kpfootprint.ingest import ingest_json
from kpfootprint.release import load_release, shipped_release
from kpfootprint.stats.intervals import clopper_pearson
from service.register.opening import open_register
from service.register.people import Principal
from service.settings import Settings
from service.work import practice
from service.work.kept import UNLISTED, tally_of
from service.work.shipment import shipment_of
from tests.service.office import Office, shipment
from tests.service.reading import problem_in

OPINION = {"conclusion": "query", "reasons": "too many brown ones"}


@pytest.fixture(scope="module")
def blind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """Return an office where monitors judge before they see."""
    os.environ |= {"BENTOML_DO_NOT_TRACK": "true", "BENTOML_HOME": str(tmp_path_factory.mktemp("bentoml"))}
    settings = Settings(home=tmp_path_factory.mktemp("blind"), rate_per_minute=0, blind_roles="monitor")
    open_register(settings).dispose()
    made = Office(settings)
    with made.client:
        yield made
    made.work.close()


def signed_in(office: Office, role: str) -> TestClient:
    office.client.cookies.clear()
    office.client.post("/sign-in", data={"key": office.keys[role]})
    return office.client


@pytest.fixture
def sealed(blind: Office, parcel: dict[str, Any]) -> str:
    """Return the address of a comparison that the monitor has still to judge."""
    made = blind.ask("monitor", "POST", "/v1/comparisons", json=parcel)
    assert made.status_code == 201
    assert set(made.json()) == {"sealed", "parcel", "opinions"}, "the answer tells nothing either"
    described = blind.get("/openapi.json")
    shape = described["paths"]["/v1/comparisons"]["post"]["responses"]["201"]["content"]["application/json"]["schema"]
    jsonschema.Draft202012Validator({**shape, "components": described["components"]}).validate(made.json())
    return str(made.headers["location"])


def test_the_report_opens_after_ones_own_conclusion(blind: Office, sealed: str) -> None:
    for form in ("", ".html", ".pdf"):
        problem_in(blind.ask("monitor", "GET", f"{sealed}{form}"), 403, "forbidden")
        assert blind.ask("viewer", "GET", f"{sealed}{form}").status_code == 200, "the setting is for one role"
    assert blind.ask("monitor", "GET", f"{sealed}/parcel").json()["parcel_id"] == "true_berberati"
    given = blind.ask("monitor", "POST", f"{sealed}/opinions", json=OPINION)
    assert (given.status_code, given.json()["blind"]) == (201, True)
    report = blind.ask("monitor", "GET", sealed)
    assert report.json()["conclusion"] == "consistent"
    again = blind.ask("monitor", "POST", f"{sealed}/opinions", json=OPINION | {"conclusion": "consistent"})
    assert again.json()["blind"] is False, "by now it was seen"
    seeing = blind.ask("researcher", "POST", f"{sealed}/opinions", json=OPINION)
    assert seeing.json()["blind"] is False


def test_a_shipment_is_read_over_one_connection_at_a_time(blind: Office) -> None:
    """Requests that each hold one and wait for another would wait for each other until the pool gives up."""
    sent = blind.send(shipment(1, bad=False, prefix="one")).json()
    blind.run_jobs()
    pool: Any = blind.work.engine.pool
    taken: list[int] = []
    sa.event.listen(blind.work.engine, "checkout", lambda *_: taken.append(pool.checkedout()))
    found = shipment_of(blind.work, sent["id"], Principal(actor="key:a", name="a", role="monitor"))
    assert [parcel.comparison.sealed for parcel in found.parcels if parcel.comparison] == [True]
    assert set(taken) == {1}


@pytest.mark.slow
def test_no_list_and_no_figure_tells_what_is_sealed(blind: Office, sealed: str) -> None:
    (item,) = [
        item
        for item in blind.ask("monitor", "GET", "/v1/comparisons?limit=500").json()["items"]
        if item["url"] == sealed
    ]
    assert (item["conclusion"], item["log10_lr"]) == (None, None)
    for query in ("conclusion=consistent", "sort=log10_lr", "sort=-log10_lr"):
        problem_in(blind.ask("monitor", "GET", f"/v1/comparisons?{query}"), 403, "forbidden")
    sent = blind.send(shipment(2, bad=False, prefix="S"))
    blind.run_jobs()
    for parcel in blind.ask("monitor", "GET", sent.headers["location"]).json()["parcels"]:
        assert parcel["comparison"] is not None
        assert (parcel["conclusion"], parcel["log10_lr"]) == (None, None)
    assert all(p["conclusion"] for p in blind.get(sent.headers["location"])["parcels"])
    ids = {"comparisons": [sealed.rpartition("/")[2]]}
    for method, path, more in (
        ("GET", "/v1/outcomes", {}),
        ("GET", "/v1/register/export", {}),
        ("GET", "/v1/drift?zone=berberati", {}),
        ("POST", "/v1/pools", {"json": ids}),
        ("GET", "/v1/reexaminations/none", {}),
        ("GET", "/dashboard", {}),
        ("GET", "/dashboard.csv", {}),
        ("GET", "/drift?zone=berberati", {}),
    ):
        problem_in(blind.ask("monitor", method, path, **more), 403, "forbidden")
        assert blind.ask("viewer", method, path, **more).status_code in {200, 404}
    number = blind.get(sealed)["verification"]["log10_lr"]
    client = signed_in(blind, "monitor")
    for path in ("/comparisons", f"/submissions/{sent.json()['id']}", f"{sealed.removeprefix('/v1')}/opinion"):
        answer = client.get(path)
        assert answer.url.path == path
        parts = re.split("<tr|<li", answer.text)  # other parcels may be open by now
        about = [part for part in parts if ids["comparisons"][0] in part or "/submissions/" in path]
        assert about, path
        for part in about:
            assert "mark consistent" not in part, path
            assert f"{number:.2f}" not in part, path
    beside = client.get(f"/beside?id={ids['comparisons'][0]}&id={sent.json()['id']}", headers={"Accept": "text/html"})
    assert beside.status_code == 403


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_the_page_asks_first_and_shows_afterwards(blind: Office, sealed: str, lang: str) -> None:
    client = signed_in(blind, "monitor")
    place = sealed.removeprefix("/v1")
    asked = client.get(f"{place}?lang={lang}")
    assert asked.url.path == f"{place}/opinion"
    assert f'<html lang="{lang}">' in asked.text
    assert ("brown" if lang == "en" else "brun") in asked.text
    for wrong in (
        {"conclusion": "query", "reasons": ""},
        {"conclusion": "perhaps", "reasons": "so"},
        {"conclusion": "query", "reasons": "x" * 20_001},
    ):
        refused = client.post(f"{place}/opinion?lang={lang}", data=wrong)
        assert refused.status_code == 422
        assert 'role="alert"' in refused.text
    shown = client.post(f"{place}/opinion?lang={lang}", data=OPINION)
    assert shown.url.path == place
    assert OPINION["reasons"] in shown.text
    assert ("before seeing what was computed" if lang == "en" else "avant de voir le calcul") in shown.text


def test_blind_opinions_are_counted_apart(blind: Office, sealed: str) -> None:
    before = blind.get("/v1/outcomes")["agreement"]
    blind.ask("monitor", "POST", f"{sealed}/opinions", json=OPINION)
    told = {"origin": [{"zone_id": "berberati", "share": 1.0}], "source": "the mine's books"}
    assert blind.ask("researcher", "POST", f"{sealed}/outcome", json=told).status_code == 201
    after = blind.get("/v1/outcomes")["agreement"]
    assert after["blind_right"]["of"] == before["blind_right"]["of"] + 1
    assert after["blind_right"]["n"] == before["blind_right"]["n"], "it was a query, and the declaration held"


def test_what_an_expert_sees_of_a_parcel_are_its_stones(parcel: dict[str, Any]) -> None:
    release = load_release(shipped_release())
    kept = {**parcel, "stones": dict(parcel["stones"])}
    _, counted = tally_of(kept, release)
    assert sum(counted[release.scheme.size.name].values()) == len(parcel["stones"]["weight_ct"])
    for attribute in release.scheme.categorical:
        expected = Counter(value for value in parcel["stones"][attribute.column] if value)
        assert {name: count for name, count in counted[attribute.name].items() if count} == expected


@pytest.mark.slow
def test_drawn_parcels_are_what_they_are_said_to_be() -> None:
    release = load_release(shipped_release())
    day = date(2026, 1, 2)
    rng = np.random.default_rng(1)
    compliant = set(release.zone_table.compliant_on(day))
    held = blended = 0
    origins: Counter[str] = Counter()
    for _ in range(200):
        document, origin, share = practice.drawn(release, day, rng)
        parcel = ingest_json(document, release.scheme, release.zone_table)
        assert 150 <= parcel.n_stones <= 1500
        (declared,) = parcel.declarations
        is_held = declared.zone_id == origin
        assert share == 1 or (share == practice.UNDECLARED and not is_held)
        assert is_held or origin == UNLISTED or origin not in compliant
        held += is_held
        blended += share < 1
        origins[origin] += 1
    limits = clopper_pearson(held, 200, level=0.999)
    assert limits.low <= practice.HELD <= limits.high
    assert 0 < origins[UNLISTED] < 60
    limits = clopper_pearson(blended, 200 - held, level=0.999)
    assert limits.low <= practice.BLENDED <= limits.high


def test_a_third_of_foreign_stones_is_counted_as_undeclared_goods() -> None:
    said = [(True, 1.0, "query"), (False, 1.0, "consistent"), (False, 0.3, "consistent"), (False, 0.3, "query")]
    rates = practice.errors(said)
    told = {name: (rate["n"], rate["of"]) for name, rate in rates.items()}
    assert told == {
        "wrong": (3, 4),
        "true_queried": (1, 1),
        "false_consistent": (1, 1),
        "undeclared_consistent": (1, 2),
        "undecided": (0, 4),
    }


@pytest.mark.slow
def test_practice_over_http(office: Office) -> None:
    drawn = office.ask("viewer", "POST", "/v1/practice")
    assert drawn.status_code == 201
    place, item = drawn.headers["location"], drawn.json()
    hidden = ("conclusion", "origin", "share", "declaration_held", "computed", "report")
    assert [item[name] for name in hidden] == [None] * 6
    assert office.ask("viewer", "POST", "/v1/practice").json() == item, "one that waits is given again"
    problem_in(office.ask("monitor", "GET", place), 404, "not_found")
    problem_in(office.ask("viewer", "POST", f"{place}/answer", json={"conclusion": "maybe"}), 422, "invalid_input")
    answered = office.ask("viewer", "POST", f"{place}/answer", json={"conclusion": "query", "reasons": "so"})
    assert answered.status_code == 201
    told = answered.json()
    assert told["report"]["conclusion"] == told["computed"]
    assert told["declaration_held"] == (told["origin"] == told["parcel"]["declarations"][0]["zone_id"])
    problem_in(office.ask("viewer", "POST", f"{place}/answer", json={"conclusion": "query"}), 409, "conflict")
    for _ in range(4):
        place = office.ask("viewer", "POST", "/v1/practice").headers["location"]
        office.ask("viewer", "POST", f"{place}/answer", json={"conclusion": "query"})
    score = office.ask("viewer", "GET", "/v1/practice?limit=2").json()
    assert (score["n"], len(score["items"])) == (5, 2)
    items = office.ask("viewer", "GET", "/v1/practice").json()["items"]
    true = sum(item["declaration_held"] for item in items)
    assert (score["you"]["true_queried"]["n"], score["you"]["true_queried"]["of"]) == (true, true)
    assert score["you"]["wrong"]["n"] == true, "every true declaration was queried"
    limits = clopper_pearson(true, 5, level=0.95)
    assert (score["you"]["wrong"]["low"], score["you"]["wrong"]["high"]) == (
        round(limits.low, 4),
        round(limits.high, 4),
    )
    mistaken = [item["computed"] == ("query" if item["declaration_held"] else "consistent") for item in items]
    assert score["program"]["wrong"]["n"] == sum(mistaken)
    assert office.ask("monitor", "GET", "/v1/practice").json()["n"] == 0, "everybody's own"


@pytest.mark.slow
@pytest.mark.parametrize("lang", ["en", "fr"])
def test_practice_on_its_pages(office: Office, lang: str) -> None:
    client = signed_in(office, "researcher")
    client.get(f"/practice?lang={lang}")
    asked = client.post(f"/practice?lang={lang}")
    assert asked.url.path.startswith("/practice/")
    assert "Bria" not in asked.text.partition("<main")[2].partition("<table")[2], "where it comes from is not told"
    empty = client.post(f"{asked.url.path}?lang={lang}")
    assert (empty.status_code, 'role="alert"' in empty.text) == (422, True)
    shown = client.post(f"{asked.url.path}?lang={lang}", data={"conclusion": "consistent"})
    assert f'<html lang="{lang}">' in shown.text
    assert re.search("came from" if lang == "en" else "Son origine|une autre origine|(venait|venaient) d", shown.text)
    after = client.get(f"/practice?lang={lang}")
    assert "Clopper" in after.text


@pytest.mark.slow
def test_where_a_report_is_kept_stands_on_it(office: Office, parcel: dict[str, Any], tmp_path: Path) -> None:
    import io

    from pypdf import PdfReader

    from service.register.verify import verify

    place = office.ask("monitor", "POST", "/v1/comparisons", json=parcel).headers["location"]
    head = office.get("/v1/register/head")
    office.ask("monitor", "POST", f"{place}/opinions", json=OPINION)
    later = office.get("/v1/register/head")
    assert later["position"] == head["position"] + 1
    page = office.ask("viewer", "GET", f"{place}.html?lang=fr").text
    assert f"inscription {head['position']}\u00a0: {head['hash']}" in page
    document = PdfReader(io.BytesIO(office.ask("viewer", "GET", f"{place}.pdf").content))
    # a hash may break where it likes, and the break is a character
    text = "".join("".join(sheet.extract_text().replace("\u200b", "").split()) for sheet in document.pages)
    assert head["hash"] in text
    client = signed_in(office, "viewer")
    for path in ("/comparisons", "/submissions", "/practice", "/planning/stones?declare=berberati&against=bria"):
        assert later["hash"] in client.get(path).text, path
    assert head["hash"] in client.get(place.removeprefix("/v1")).text, "a report bears its own entry"
    client.cookies.clear()
    assert later["hash"] not in client.get("/sign-in").text, "nobody who is not known is told"
    assert verify(office.work.engine, head["hash"]).wrong is None


def test_what_became_known_is_told_on_a_page_and_added_up(office: Office, parcel: dict[str, Any]) -> None:
    client = signed_in(office, "monitor")
    assert "yet" in client.get("/outcomes").text
    place = office.ask("monitor", "POST", "/v1/comparisons", json=parcel).headers["location"].removeprefix("/v1")
    client = signed_in(office, "monitor")
    form = {"source": "the mine’s <books>"}
    for zones, percents, status in (
        (["berberati", ""], ["60", ""], 422),
        (["berberati", "bria"], ["60", "x"], 422),
        (["", ""], ["", ""], 422),
        (["berberati", "bria"], ["62,5 %", "37.5"], 303),
        (["berberati", ""], ["", ""], 303),
    ):
        given = form | {"zone": zones, "percent": percents}
        answer = client.post(f"{place}/outcome", data=given, follow_redirects=False)
        assert answer.status_code == status, answer.text
    nothing_said = client.post(f"{place}/outcome", data=form | {"zone": ["bria"], "percent": [""], "source": " "})
    assert nothing_said.status_code == 422
    origins = [event["origin"] for event in office.get("/v1/outcomes")["items"] if event["comparison"] == f"/v1{place}"]
    assert origins == [[{"zone_id": "berberati", "share": 1.0}]], "the last that was told counts"
    signed_in(office, "viewer")
    above = client.get(place).text
    assert "62%" in above or "63%" in above, "what was told first stays, too"
    assert "&lt;books&gt;" in above
    page = client.get("/outcomes").text
    assert "1 parcel." in page
    assert parcel["parcel_id"] in page
    assert client.get(f"{place}/outcome").status_code == 403
