"""Plans, adequacy and pools over HTTP: the shapes of the contract, and questions that are refused."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from pypdf import PdfReader

from kpfootprint.release import Release, shipped_release
from kpfootprint.report.blocks import Figure
from kpfootprint.report.pdf import document_pdf
from kpfootprint.report.planned_sections import document_of
from service.register.database import reading, registering
from service.register.earlier import add_certificates
from service.settings import Settings
from service.work import planning
from service.work.place import Workplace
from service.work.planning import dashboard, followed, judged
from tests.service.reading import problem_in
from tests.service.registers import examined, kept

Ask = Callable[..., Any]


@pytest.mark.slow
def test_a_plan_says_what_the_command_says(ask: Ask) -> None:
    question = {"declared": ["berberati"], "against": "mbuji-mayi", "share": 0.2, "on": "2024-03-11"}
    answer = ask("viewer", "POST", "/v1/plan", json=question)
    assert answer.status_code == 200, answer.text
    plan = answer.json()
    assert {"declared", "against", "share", "detection", "floor", "distinguishable", "sentence"} <= set(plan)
    assert len(plan["detection"]) >= 5
    assert plan["distinguishable"]


def test_questions_that_do_not_fit_are_refused(ask: Ask) -> None:
    questions: tuple[dict[str, Any], ...] = (
        {},
        {"declared": []},
        {"declared": ["berberati"], "share": 2},
        {"declared": ["x"], "what": 1},
    )
    for question in questions:
        problem_in(ask("viewer", "POST", "/v1/plan", json=question), 422, "invalid_input")
    found = problem_in(ask("viewer", "POST", "/v1/plan", json={"declared": ["atlantis"]}), 422, "invalid_input")
    assert found["problems"][0]["value"] == "atlantis"
    found = problem_in(ask("viewer", "GET", "/planning/stones?against=bria"), 422, "invalid_input")
    assert [item["value"] for item in found["problems"]] == [None]


def test_the_adequacy_of_a_zone_that_is_not_there(ask: Ask) -> None:
    problem_in(ask("viewer", "GET", "/v1/zones/atlantis/adequacy"), 404, "not_found")
    problem_in(ask("viewer", "GET", "/v1/zones/boganda/adequacy"), 422, "invalid_input")


@pytest.mark.slow
def test_parcels_are_pooled_by_their_ids(ask: Ask, parcel: dict[str, Any]) -> None:
    halves = {
        name: {column: values[start::2] for column, values in parcel["stones"].items()}
        for start, name in enumerate(("P1", "P2"))
    }
    ids = [
        ask("monitor", "POST", "/v1/comparisons", json=parcel | {"parcel_id": name, "stones": half})
        .headers["location"]
        .rsplit("/")[-1]
        for name, half in halves.items()
    ]
    answer = ask("viewer", "POST", "/v1/pools", json={"comparisons": ids})
    assert answer.status_code == 200, answer.text
    pool = answer.json()
    assert pool["n_parcels"] == 2
    assert all(one["carats"] > 0 for one in pool["parcels"])
    assert {"log10_lr", "low", "high", "log10_lr_if_independent", "dependence"} <= set(pool["verification"])
    assert {"estimate", "low", "high", "level"} == set(pool["mixture"]["undeclared_stone_fraction"])
    unknown = ask("viewer", "POST", "/v1/pools", json={"comparisons": [ids[0], "nothing", ids[0]]})
    assert [p["row"] for p in problem_in(unknown, 422, "invalid_input")["problems"]] == [2, 3]


@pytest.fixture
def sheets(ask: Ask, parcel: dict[str, Any]) -> list[str]:
    """Keep two sorters' sheets of three parcels and return the ids of the comparisons of the last."""
    ids = []
    for goods, party, stones in (
        *(("H1", "exporter", 100), ("H1", "ministry", 92)),
        *(("H2", "exporter", 60), ("H2", "ministry", 56)),
        *(("P", "exporter", 90), ("P", "ministry", 84)),
    ):
        counts = [{"colour": "brown", "n_stones": stones}, {"colour": "colourless", "n_stones": 200 - stones}]
        sent = {"parcel_id": f"{goods}/{party}", "declarations": parcel["declarations"], "counts": counts}
        answer = ask("monitor", "POST", "/v1/comparisons", json=sent)
        assert answer.status_code == 201, answer.text
        ids.append(answer.headers["location"].rsplit("/")[-1])
    return ids[-2:]


def test_several_sorters_of_one_parcel(ask: Ask, sheets: list[str]) -> None:
    answer = ask("viewer", "POST", "/v1/sorters", json={"comparisons": sheets})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert [one["sorter"] for one in found["sorters"]] == ["exporter", "ministry"]
    assert found["agreement"][0]["in_common"][0]["share"] == 0.97
    (scale,) = found["scales"]
    assert scale["n_parcels"] >= 2, "the register tells how they usually differ"
    without = ask("viewer", "POST", "/v1/sorters", json={"comparisons": sheets, "history": []})
    assert without.json()["scales"] == []
    alone = ask("viewer", "POST", "/v1/sorters", json={"comparisons": [sheets[0], sheets[0]]})
    problem_in(alone, 422, "invalid_input")


@pytest.mark.slow
def test_ticked_comparisons_are_shown_as_sorters_and_as_a_pool(sheets: list[str], browser: Any) -> None:
    page = browser.get(f"/sorters?id={sheets[0]}&id={sheets[1]}&lang=fr")
    assert page.status_code == 200, page.text
    assert "Un lot, plusieurs trieurs" in page.text
    assert browser.get(f"/sorters?id={sheets[0]}").status_code == 422
    pool = browser.get(f"/pool?id={sheets[0]}&id={sheets[1]}")
    assert pool.status_code == 200, pool.text
    assert "was counted once" in pool.text
    assert re.search(r"Declared</dt><dd>[A-Z]", pool.text)


@pytest.mark.slow
def test_the_annex_is_a_pdf(browser: Any) -> None:
    page = browser.get("/zones/kadey/adequacy?on=2024-03-11")
    assert "/zones/kadey/adequacy.pdf?on=2024-03-11" in page.text
    annex = browser.get("/zones/kadey/adequacy.pdf?on=2024-03-11&lang=fr")
    assert annex.status_code == 200
    assert annex.headers["content-type"] == "application/pdf"
    assert annex.content.startswith(b"%PDF")


@pytest.mark.slow
def test_the_pages_ask_and_answer_in_both_languages(browser: Any) -> None:
    asked = browser.get("/planning?lang=fr")
    assert asked.status_code == 200
    assert "Combien de pierres" in asked.text
    answer = browser.get("/planning/stones?declare=berberati&against=mbuji-mayi&share=0.2&on=2024-03-11&lang=fr")
    assert answer.status_code == 200, answer.text
    assert '<html lang="fr">' in answer.text
    assert "<svg" in answer.text
    assert "Il faut environ" in answer.text
    blend = browser.get("/planning/stones?declare=berberati&second=carnot&percent=40&against=mbuji-mayi")
    assert blend.status_code == 200, blend.text
    assert re.search(r"Berbérati \d+% and Carnot \d+%", blend.text)
    assert browser.get("/planning/stones?declare=atlantis&against=bria").status_code == 422
    assert browser.get("/planning/stones?declare=berberati&second=carnot&percent=100").status_code == 422


def test_shipments_are_followed_from_the_register(ask: Ask, parcel: dict[str, Any]) -> None:
    stones = parcel["stones"]
    for part in range(3):
        some = {name: values[part * 150 : part * 150 + 150] for name, values in stones.items()}
        told = {"exporter": "Maison A", "value_usd": 4000 + part, "exported_on": f"2024-0{4 - part}-02"}
        sent = {**parcel, "parcel_id": f"S{part}", **told, "stones": some}
        assert ask("monitor", "POST", "/v1/comparisons", json=sent).status_code == 201
    answer = ask("viewer", "GET", "/v1/drift?exporter=Maison A")
    assert answer.status_code == 200, answer.text
    drift = answer.json()
    assert drift["false_alarm"]["per_points"] == 100
    size = next(item for item in drift["series"] if item["name"] == "size")
    assert [point["at"][:10] for point in size["points"]] == ["2024-02-02", "2024-03-02", "2024-04-02"]
    assert drift["n_shipments"] == 3
    assert {"at", "comparison", "value"} <= set(size["points"][0])
    assert size["lower"] < size["centre"] < size["upper"]
    assert all(ask("viewer", "GET", point["comparison"]).status_code == 200 for point in size["points"][:1])
    assert (drift["exporter"], drift["zone_id"]) == ("Maison A", None)
    document = document_of(drift, {}, "en", created_at="2026-01-01T00:00:00Z")
    assert document.title.endswith(": Maison A")
    charts = [figure for figure in document.sections[-1].blocks if isinstance(figure, Figure)]
    assert all(cell.startswith("\u00d7") for cell in charts[0].data.rows[0][1:]), "in the unit of the axis"
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(document_pdf(document))).pages)
    assert text.count("Lower limit") == len(charts), "every chart has its table on paper"
    problem_in(ask("viewer", "GET", "/v1/drift"), 422, "invalid_input")
    assert ask("viewer", "GET", "/v1/drift?exporter=nobody").json()["series"] == []


def test_the_charts_are_a_page(browser: Any) -> None:
    page = browser.get("/drift?exporter=nobody&lang=fr")
    assert page.status_code == 200, page.text
    assert "rien à suivre avant le deuxième" in page.text
    nameless = browser.get("/drift?lang=fr", headers={"Accept": "text/html"})
    assert nameless.status_code == 422
    assert "Indiquez un exportateur" in nameless.text


def test_a_page_that_is_refused_says_why(ask: Ask, parcel: dict[str, Any]) -> None:
    kept = [ask("monitor", "POST", "/v1/comparisons", json={**parcel, "parcel_id": f"T{k}"}) for k in (1, 2)]
    ids = "&".join(f"id={answer.headers['Location'].rpartition('/')[2]}" for answer in kept)
    refused = ask("monitor", "GET", f"/sorters?{ids}&lang=fr", headers={"Accept": "text/html"})
    assert refused.status_code == 422, refused.text
    assert "deux feuilles" in refused.text


def test_the_register_at_a_glance(ask: Ask, parcel: dict[str, Any]) -> None:
    assert ask("monitor", "POST", "/v1/comparisons", json=parcel).status_code == 201
    table = ask("viewer", "GET", "/dashboard.csv")
    assert table.status_code == 200, table.text
    head, *rows = table.text.splitlines()
    assert head.startswith("month,zone_id,parcels,stones,carats,consistent")
    assert any(",berberati," in row for row in rows)


def test_a_parcel_that_is_compared_again_counts_once_at_a_glance(ask: Ask, parcel: dict[str, Any]) -> None:
    def n_parcels() -> int:
        rows = csv.DictReader(io.StringIO(ask("viewer", "GET", "/dashboard.csv").text))
        return sum(int(row["parcels"]) for row in rows if row["zone_id"] == "berberati")

    before = n_parcels()
    for day in ("2024-03-11", "2024-03-12", "2024-03-13"):
        again = {**parcel, "parcel_id": "compared-again", "exported_on": day}
        assert ask("monitor", "POST", "/v1/comparisons", json=again).status_code == 201
    assert n_parcels() == before + 1


def test_the_newest_of_each_parcel_is_counted_on_either_database(settings: Settings, engine: sa.Engine) -> None:
    for number, more in ((1, {}), (2, {}), (2, {"conclusion": "query"}), (3, {"conclusion": None})):
        kept(engine, examined(number, content=more))
    with closing(Workplace(settings)) as work:
        found = dashboard(work)
    (month,) = found.months
    assert (month.month, month.zone_id, month.n_parcels, month.n_stones, month.carats) == (
        *("2026-01", "berberati"),
        *(3, 9, 7.5),
    )
    assert month.conclusions == {"consistent": 1, "query": 1, "none": 1}
    assert {name: n for name, n in found.conclusions.items() if n} == month.conclusions
    assert [(item.name, item.n_parcels) for item in found.exporters] == [("Badica", 3)]


def test_parcels_with_flags_are_counted_once_and_by_what_is_known_now(settings: Settings, engine: sa.Engine) -> None:
    """A flag of an earlier comparison of a parcel is no longer one; a certificate that was reported since is."""
    flag = {"flags": [{"code": "c", "values": {}, "text": "t"}]}
    for number, more in ((1, flag), (1, flag), (2, flag), (2, {}), (3, {"document": {"certificate_no": "CF 1"}})):
        kept(engine, examined(number, **more))
    with closing(Workplace(settings)) as work:
        assert dashboard(work).flagged == 1
        with registering(engine) as connection:
            add_certificates(connection, [{"certificate_no": "cf-1", "reported_by": "KP"}], actor="key:test")
        assert dashboard(work).flagged == 2


def test_a_glance_reads_no_comparison_whole(tmp_path: Path) -> None:
    """With its report a comparison takes a hundred times the room of its line in an index."""
    asked: list[tuple[str, Any]] = []
    with closing(Workplace(Settings(home=tmp_path))) as work:
        sa.event.listen(work.engine, "before_cursor_execute", lambda *of: asked.append((of[2], of[3])))
        dashboard(work)
        counting = [(text, values) for text, values in asked if "declared_zones" in text]
        with reading(work.engine) as connection:
            plan = [
                row[3] for one in counting for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {one[0]}", one[1])
            ]
    looked_at = [step for step in plan if re.match("(SCAN|SEARCH) (comparisons|again|declared_zones)", step)]
    assert len(looked_at) >= 4, plan
    whole = [step for step in looked_at if not re.search("COVERING|ix_comparisons_flagged", step)]
    assert not whole, plan


def test_lrs_that_fall_are_seen_at_a_glance() -> None:
    """One exporter's fall, another's do not; the day is that from which they do."""
    rng, days = np.random.default_rng(4), [date(2024, 1, 1) + timedelta(days=t) for t in range(40)]
    steady = rng.normal(1.0, 0.3, 40)
    fallen = np.where(np.arange(40) < 25, steady, steady - 2.0)
    series = {
        name: list(zip(days[: len(values)], values.tolist(), strict=True))
        for name, values in (("A", steady), ("B", fallen), ("C", np.zeros(0)))
    }
    found = followed({"A": 40, "B": 40, "C": 3}, series)
    assert [(item.name, item.n_parcels, item.since, item.rose) for item in found] == [
        ("A", 40, None, False),
        ("B", 40, date(2024, 1, 26), False),
        ("C", 3, None, False),
    ]


@pytest.fixture
def shipped(ask: Ask, parcel: dict[str, Any]) -> None:
    """Keep a comparison of an exporter whose name needs escaping."""
    sent = parcel | {"exporter": "Maison <B> & fils"}
    assert ask("monitor", "POST", "/v1/comparisons", json=sent).status_code == 201


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_the_glance_is_a_page(shipped: None, browser: Any, lang: str) -> None:
    page = browser.get(f"/dashboard?lang={lang}")
    assert page.status_code == 200, page.text
    assert "Maison &lt;B&gt; &amp; fils</a>" in page.text
    (charts,) = re.findall(r'href="(/drift[^"]*B%3E[^"]*)"', page.text)
    assert browser.get(charts.replace("&amp;", "&")).status_code == 200
    assert {"en": "The register at a glance", "fr": "Le registre en un coup d"}[lang] in page.text


def test_the_same_question_about_a_release_is_answered_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = Workplace(Settings(home=tmp_path))
    work.release()
    asked: list[tuple[str, str, date]] = []

    def answered(zone: str, release: Release, on: date) -> dict[str, Any]:
        asked.append((release.name, zone, on))
        return {"zone_id": zone, "on": on}

    monkeypatch.setattr(planning, "adequacy_answer", answered)
    monkeypatch.setattr(planning, "worded", lambda answer, _names, lang: {**answer, "lang": lang})
    one, other = date(2024, 3, 11), date(2024, 3, 12)
    for zone, on in (("berberati", one), ("carnot", one), ("berberati", other)):
        for lang in ("en", "fr"):
            assert judged(work, zone, on, lang) == {"zone_id": zone, "on": on, "lang": lang}
    assert len(asked) == 3
    earlier = shipped_release().with_name("2026.7")
    monkeypatch.setattr(work, "release_folder", lambda: earlier)
    judged(work, "berberati", one)
    assert asked[3:] == [("2026.7", "berberati", one)], "of another release in force it is another answer"
    work.close()
