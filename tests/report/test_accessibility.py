"""Reports in a browser: axe finds nothing, nothing is asked for outside, the page prints."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from unicodedata import normalize

import pytest
from pypdf import PdfReader

from kpfootprint.report import compare_side_by_side, read_report, render_html
from tests.needs import require
from tests.report.factory import KINDS, make_crowded_report, make_report
from tests.report.golden import GOLDEN

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PAGES = (*KINDS, "side by side")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = require("browser")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(program), args=list(FLAGS))
        yield browser
        browser.close()


def opened(browser: Browser, folder: Path, kind: str, lang: str, scheme: Literal["light", "dark"]) -> Page:
    if kind == "side by side":
        page_text = compare_side_by_side([make_report(one) for one in KINDS], lang)
    else:
        page_text = render_html(make_report(kind), lang)  # type: ignore[arg-type]
    path = folder / "report.html"
    path.write_text(page_text, encoding="utf-8")
    page = browser.new_page(color_scheme=scheme, java_script_enabled=True)
    page.goto(path.as_uri())
    return page


@pytest.mark.parametrize(
    ("kind", "lang", "scheme"),
    [
        ("query", "en", "light"),
        pytest.param("side by side", "fr", "dark", marks=pytest.mark.slow),
        *(pytest.param(kind, "en", "light", marks=pytest.mark.slow) for kind in PAGES if kind != "query"),
    ],
)
def test_axe_finds_nothing(
    browser: Browser, tmp_path: Path, kind: str, lang: str, scheme: Literal["light", "dark"]
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = opened(browser, tmp_path, kind, lang, scheme)
    page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
    results = Axe().run(page)
    page.close()
    assert results.violations_count == 0, results.generate_report()


def test_nothing_is_asked_for_outside_and_nothing_complains(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(render_html(make_report("query")), encoding="utf-8")
    page = browser.new_page(java_script_enabled=False)
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.goto(path.as_uri())
    page.get_by_text("The figures behind this picture").first.click()
    page.close()
    assert asked == [path.as_uri()]
    assert said == []


def test_the_keyboard_reaches_the_report_first(browser: Browser, tmp_path: Path) -> None:
    page = opened(browser, tmp_path, "query", "en", "light")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the report"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "report"
    page.close()


def test_nothing_runs_out_of_the_window(browser: Browser, tmp_path: Path) -> None:
    page = opened(browser, tmp_path, "query", "fr", "light")
    for width in (320, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


@pytest.mark.parametrize("paper", ["A4", pytest.param("Letter", marks=pytest.mark.slow)])
@pytest.mark.parametrize("crowded", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_it_prints_with_the_conclusion_and_the_cautions_on_the_first_sheet(
    browser: Browser, tmp_path: Path, paper: str, crowded: bool
) -> None:
    report = make_crowded_report() if crowded else make_report("query")
    path = tmp_path / "report.html"
    path.write_text(render_html(report), encoding="utf-8")
    page = browser.new_page(color_scheme="dark")
    page.goto(path.as_uri())
    printed = PdfReader(io.BytesIO(page.pdf(format=paper)))
    page.close()
    assert len(printed.pages) <= 8
    first = " ".join(normalize("NFKC", printed.pages[0].extract_text()).split())
    for text in ("Reason to query the declaration", "How often it misleads", "Cautions"):
        assert text in first
    for caution in report.content["cautions"]:
        assert caution["text"][:40] in first


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_it_prints_on_four_sheets(browser: Browser, tmp_path: Path, lang: str) -> None:
    report = read_report((GOLDEN / "examples/blend.json").read_bytes())
    path = tmp_path / "report.html"
    path.write_text(render_html(report, lang), encoding="utf-8")
    page = browser.new_page()
    page.goto(path.as_uri())
    sheets = PdfReader(io.BytesIO(page.pdf(format="A4"))).pages
    page.close()
    assert len(sheets) <= 4
    assert all(len(sheet.extract_text()) > 1200 for sheet in sheets), "no sheet is left half empty"
