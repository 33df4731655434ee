"""The pages of releases and trainings: who sees what, a release put in force with a reason, a package handed in."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from kpfootprint.release import shipped_release

OLDER = "2026.2"


@pytest.fixture
def researcher(app: TestClient, keys: dict[str, str]) -> Iterator[TestClient]:
    """Sign a browser in with the researcher's key."""
    app.cookies.clear()
    assert app.post("/sign-in", data={"key": keys["researcher"]}).status_code == 303
    yield app
    app.cookies.clear()


def send(browser: TestClient, path: str, **fields: str) -> tuple[int, str]:
    answer = browser.post(path, data=fields)
    return answer.status_code, answer.text


@pytest.mark.parametrize(("lang", "said"), [("en", "in force"), ("fr", "en vigueur")])
def test_releases_are_listed_in_both_languages(browser: TestClient, lang: str, said: str) -> None:
    page = browser.get(f"/models?lang={lang}")
    assert page.status_code == 200
    assert f'<span class="mark consistent">{said}</span>' in page.text
    assert OLDER in page.text
    assert "<script" not in page.text


def test_a_release_shows_its_card_and_what_was_measured(browser: TestClient) -> None:
    page = browser.get(f"/models/{OLDER}?lang=fr")
    assert page.status_code == 200
    assert "What nobody can know from it" in page.text
    assert re.search(r'<details open>\s*<summary lang="en">as collected<', page.text)
    assert '<th scope="row">Cllr</th>' in page.text
    assert browser.get("/models/no-such-release").status_code == 404
    assert browser.get(f"/models/{OLDER}/evaluation").status_code == 404
    newest = shipped_release().name
    said = re.search(
        rf'href="/models/{newest}/evaluation[^>]*>([^<]*)</a> \(en anglais\)',
        browser.get(f"/models/{newest}?lang=fr").text,
    )
    assert said is not None
    assert "(in English)" not in browser.get(f"/models/{newest}?lang=en").text
    assert '<html lang="en">' in browser.get(f"/models/{newest}/evaluation?lang=fr").text


def test_releases_are_listed_with_the_newest_first(browser: TestClient, home: Path) -> None:
    shipped = ["2026.10", "2026.9", "2026.8", "2026.7", "2026.6", "2026.5", "2026.4", "2026.3", OLDER]
    assert listed_in(browser) == shipped
    days = {"trained-b": "2026-03-02", "trained-c": "2026-03-01", "trained-a": "2025-12-31", "trained-d": None}
    made = [home / "releases" / name for name in days]
    try:
        for age, folder in enumerate(made):  # restored, or copied: of what was made first the file may be the newest
            folder.mkdir(parents=True)
            said = {} if days[folder.name] is None else {"asked_at": f"{days[folder.name]}T03:04:05Z"}
            (folder / "manifest.json").write_text(json.dumps(said), encoding="utf-8")
            os.utime(folder / "manifest.json", (10**9 + age, 10**9 + age))
        assert listed_in(browser) == [*days, *shipped]
        assert re.findall(r'href="/models/([\w.-]+)"', browser.get("/models").text)[:5] == [*days, shipped[0]]
    finally:
        for folder in made:
            shutil.rmtree(folder)


def listed_in(browser: TestClient) -> list[str]:
    return [item["release"] for item in browser.get("/v1/models").json()["items"]]


CARD = """# A *card*

<script>alert(1)</script> [out](javascript:alert(1)) <b>bold</b>

| zone | parcels |
|---|---|
| bria | **16** |
"""


def test_a_card_is_shown_as_its_markdown_means_it_and_its_html_as_written(browser: TestClient, home: Path) -> None:
    folder = home / "releases" / "foreign"
    folder.mkdir(parents=True)
    try:
        (folder / "manifest.json").write_text("{}", encoding="utf-8")
        (folder / "CARD.md").write_text(CARD, encoding="utf-8")
        page = browser.get("/models/foreign").text
        assert browser.get("/v1/models/foreign").json()["card"] == CARD
    finally:
        shutil.rmtree(folder)
    for meant in ("<h3>A <em>card</em></h3>", '<table class="full">', "<td><strong>16</strong></td>"):
        assert meant in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "&lt;b&gt;bold" in page
    assert "<script" not in page
    assert 'href="javascript' not in page


def test_only_a_researcher_is_offered_anything_and_may_do_it(browser: TestClient) -> None:
    assert "/activate" not in browser.get(f"/models/{OLDER}").text
    assert "/trainings" not in browser.get("/models").text
    for path in (f"/models/{OLDER}/activate", "/models/rollback", "/trainings"):
        assert browser.post(path, data={"reason": "x"}).status_code == 403


@pytest.mark.slow
def test_a_release_is_put_in_force_with_a_reason_and_taken_back(researcher: TestClient) -> None:
    before = re.findall(r"In force: ([\w.-]+)\.", researcher.get("/models?lang=en").text)[0]
    status, page = send(researcher, f"/models/{OLDER}/activate?lang=en", reason=" ")
    assert (status, "the reason stands in the history" in page) == (422, True)
    status, _ = send(researcher, f"/models/{OLDER}/activate", reason="Judged <b>by the panel</b>")
    assert status == 303
    page = researcher.get("/models?lang=en").text
    assert f"In force: {OLDER}." in page
    assert "Judged &lt;b&gt;by the panel&lt;/b&gt;" in page
    assert '<span class="hint">the researcher</span>' in page
    assert researcher.get("/v1/models").json()["items"][0].keys() >= {"release", "active"}
    status, page = send(researcher, "/models/rollback?lang=fr", reason="")
    assert (status, "le motif figure" in page) == (422, True)
    assert send(researcher, "/models/rollback", reason="Wrong labels")[0] == 303
    page = researcher.get("/models?lang=en").text
    assert f"In force: {before}." in page
    assert "(gone back to)" in page


def test_a_package_is_handed_in_followed_and_cancelled(researcher: TestClient) -> None:
    assert send(researcher, "/trainings?lang=en", config="")[0] == 422
    wrong = researcher.post("/trainings", files={"file": ("p.zip", b"no archive")})
    assert wrong.status_code == 422
    wrong = researcher.post(
        "/trainings?lang=fr",
        files={"file": ("p.zip", b"no archive")},
        data={"config": "[fit]\nn_simulatd = 3"},
        headers={"Accept": "text/html"},
    )
    assert "ce réglage n’existe pas" in wrong.text
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("datapackage.json", "{}")
    given = researcher.post("/trainings", files={"file": ("p.zip", package.getvalue())})
    assert given.status_code == 303
    page = researcher.get(given.headers["location"], params={"lang": "fr"}).text
    assert "En attente." in page
    assert '<progress id="done" max="100" value="0">' in page
    assert '<meta http-equiv="refresh"' in page
    answer = researcher.post(f"{given.headers['location']}/cancel")
    assert answer.status_code == 303
    page = researcher.get(answer.headers["location"], params={"lang": "en"}).text
    assert "Cancelled." in page
    assert "refresh" not in page
    assert given.headers["location"].removeprefix("/trainings/") in researcher.get("/models").text
    assert researcher.get("/trainings/no-such").status_code == 404
