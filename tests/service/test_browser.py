"""The pages in a real browser, without a request to anywhere else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from kpfootprint.release import shipped_release
from service.jobs.worker import work_once
from service.settings import Settings
from service.work.place import Workplace
from tests.needs import require
from tests.service.office import shipment
from tests.service.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


EN = ("en", "light")
FR = ("fr", "dark")
LATER = pytest.mark.slow
RELEASE = f"/models/{shipped_release().name}"
PATHS = ["/", "/comparisons", "/submissions", "/practice", RELEASE, "/access", "/docs", "/sign-in", "/nothing"]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Start the machine's own Chromium."""
    program = require("browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, chromium: Browser) -> Iterator[Server]:
    """Start the service on an empty home."""
    with Server(tmp_path_factory.mktemp("browser") / "home", "--no-worker") as running:
        yield running


@pytest.fixture(scope="module")
def state(chromium: Browser, server: Server) -> Any:
    """Sign in by the one-time link, once, and return the browser's cookies."""
    context = chromium.new_context()
    page = context.new_page()
    assert server.link is not None
    page.goto(server.link)
    assert page.url == f"{server.url}/"
    cookies = context.storage_state()
    context.close()
    return cookies


@pytest.fixture(params=[pytest.param(EN, id="en-light"), pytest.param(FR, id="fr-dark", marks=LATER)])
def page(request: pytest.FixtureRequest, chromium: Browser, server: Server, state: Any) -> Iterator[Page]:
    """Open a page in one language and scheme, with scripts off; every request elsewhere is a failure."""
    lang, scheme = request.param
    context = chromium.new_context(
        storage_state=state, locale=lang, color_scheme=scheme, base_url=server.url, java_script_enabled=False
    )
    elsewhere: list[str] = []
    opened = context.new_page()
    opened.on(
        "request", lambda asked: None if asked.url.startswith((server.url, "data:")) else elsewhere.append(asked.url)
    )
    yield opened
    assert elsewhere == []
    context.close()


def followed(page: Page, button: str) -> None:
    """Press a button and wait for the page that it leads to, however long a comparison takes."""
    with page.expect_navigation():
        page.click(button)


def test_one_click_to_the_report_of_an_example(page: Page) -> None:
    page.goto("/")
    followed(page, "aside form button >> nth=0")
    assert "/comparisons/" in page.url
    assert "true_berberati" in page.title() or "true_berberati" in page.inner_text("h1")


def test_a_file_a_declaration_and_a_day_make_a_report(page: Page, examples: Path) -> None:
    page.goto("/")
    page.set_input_files("#file", examples / "false_berberati.csv")
    page.select_option("select[name=zone] >> nth=0", "berberati")
    page.fill("#exported_on", "2024-03-11")
    followed(page, "form[enctype] button.button:not(.quiet)")
    assert "/comparisons/" in page.url
    assert "false_berberati" in page.inner_text("h1")


def test_problems_stand_above_the_form(page: Page) -> None:
    page.goto("/")
    page.fill("#pasted", "weight_ct\n1.0\n-1\n")
    followed(page, "form[enctype] button.button:not(.quiet)")
    assert page.locator("[role=alert] table").first.locator("tbody tr").count() == 1
    assert page.input_value("#pasted").startswith("weight_ct")


@pytest.mark.parametrize("width", [360, pytest.param(1280, marks=LATER)])
@pytest.mark.parametrize(("lang", "scheme"), [EN, pytest.param(*FR, marks=LATER)])
def test_everybody_can_use_every_page_at_a_desk_and_on_a_telephone(
    chromium: Browser, server: Server, state: Any, lang: str, scheme: Any, width: int
) -> None:
    size: ViewportSize = {"width": width, "height": 740}
    context = chromium.new_context(
        storage_state=state, locale=lang, color_scheme=scheme, bypass_csp=True, viewport=size, base_url=server.url
    )
    opened = context.new_page()
    wrong = []
    for path in (*PATHS, "a report"):
        opened.goto("/" if path == "a report" else path)
        if path == "a report":
            followed(opened, "aside form button >> nth=2")
        found = Axe().run(opened)
        wide = opened.evaluate("document.documentElement.scrollWidth")
        if found.violations_count or wide > width:
            wrong.append(f"{path}, {wide} wide: {found.generate_report()}")
    context.close()
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("lang", ["fr", pytest.param("en", marks=LATER)])
def test_what_became_known_is_told_and_counted_on_the_smallest_telephone(
    chromium: Browser, server: Server, state: Any, lang: str
) -> None:
    size: ViewportSize = {"width": 320, "height": 640}
    context = chromium.new_context(storage_state=state, locale=lang, viewport=size, base_url=server.url)
    opened = context.new_page()
    opened.goto("/")
    followed(opened, "aside form button >> nth=2")
    opened.goto(f"{opened.url.partition('?')[0]}/outcome")
    wide = {"outcome": opened.evaluate("document.documentElement.scrollWidth")}
    opened.select_option("select[name=zone] >> nth=0", "bria")
    opened.fill("#source", "a court")
    followed(opened, "form.card button.button")
    for path in ("/dashboard", "/outcomes"):
        opened.goto(path)
        wide[path] = opened.evaluate("document.documentElement.scrollWidth")
    context.close()
    assert max(wide.values()) <= size["width"], wide


@pytest.mark.parametrize("lang", ["en", pytest.param("fr", marks=LATER)])
def test_a_telephone_shows_a_comparison_or_a_shipment_in_few_lines(
    chromium: Browser, server: Server, state: Any, tmp_path: Path, lang: str
) -> None:
    """Four lines at most, carats and certificate among them, of 11 pixels or more, and nothing beyond the edge."""
    size: ViewportSize = {"width": 390, "height": 844}
    context = chromium.new_context(storage_state=state, locale=lang, viewport=size, base_url=server.url)
    opened = context.new_page()
    opened.goto("/")
    followed(opened, "aside form button >> nth=1")
    file = tmp_path / "shipment.zip"
    file.write_bytes(shipment(2, prefix=f"few-{lang}"))
    opened.goto("/submissions")
    if not opened.is_visible("#file"):
        opened.click("summary >> nth=0")
    opened.set_input_files("#file", file)
    followed(opened, "form[enctype] button.button")
    followed(opened, "form[action^='/submissions'] button.button >> nth=0")
    work = Workplace(Settings(home=server.home))
    work.release()
    work_once(work, threading.Event())
    work.close()
    for path in ("/comparisons", "/submissions"):
        opened.goto(path)
        rows = opened.locator("table.rows tbody tr")
        heights = rows.evaluate_all("rows => rows.map(row => row.getBoundingClientRect().height)")
        assert heights
        assert max(heights) <= 88
        texts = "[...row.querySelectorAll('*')].filter(one => one.getClientRects().length)"
        smallest = (
            f"rows => Math.min(...rows.flatMap(row => {texts}.map(one => parseFloat(getComputedStyle(one).fontSize))))"
        )
        assert rows.evaluate_all(smallest) >= 11
        widest = f"rows => Math.max(...rows.flatMap(row => {texts}.map(one => one.getBoundingClientRect().right)))"
        assert rows.evaluate_all(widest) <= 390
    context.close()


@pytest.mark.parametrize(("lang", "scheme"), [EN, pytest.param(*FR, marks=LATER)])
def test_a_shipment_and_an_exercise_are_for_everybody_and_for_telephones(
    chromium: Browser, server: Server, state: Any, tmp_path: Path, lang: str, scheme: Any
) -> None:
    file = tmp_path / "shipment.zip"
    file.write_bytes(shipment(2, prefix=lang))
    size: ViewportSize = {"width": 360, "height": 740}
    context = chromium.new_context(
        storage_state=state, locale=lang, color_scheme=scheme, bypass_csp=True, viewport=size, base_url=server.url
    )
    opened = context.new_page()

    def is_good() -> None:
        opened.wait_for_load_state()
        assert opened.evaluate("document.documentElement.scrollWidth") <= size["width"]
        found = Axe().run(opened)
        assert found.violations_count == 0, found.generate_report()

    opened.goto("/submissions")
    if not opened.is_visible("#file"):  # an empty inbox shows the form at once
        opened.click("details.card summary")
    opened.set_input_files("#file", file)
    followed(opened, "details.card button")
    is_good()
    followed(opened, "main form[action^='/submissions'] button >> nth=0")
    opened.wait_for_selector(".history")
    is_good()
    work = Workplace(Settings(home=server.home))
    work.release()
    work_once(work, threading.Event())
    work.close()
    opened.reload()
    is_good()
    opened.check("input[value=returned]")
    opened.fill("#note", "weigh again")
    followed(opened, "aside form button")
    assert "weigh again" in opened.inner_text(".history")
    opened.goto("/practice")
    followed(opened, "main form button")
    is_good()
    opened.check("input[value=query]")
    followed(opened, "aside form button")
    opened.wait_for_selector(".site-note")
    opened.goto("/practice")
    is_good()
    context.close()


def test_a_page_of_a_neighbour_changes_nothing(chromium: Browser, server: Server, state: Any) -> None:
    """A port beside this one is of the same site: the browser sends the session's cookie, and says who asked."""
    form = f'<form method="post" action="{server.url}/sign-out"><button>ok</button></form>'
    with neighbour(form) as address:
        context = chromium.new_context(storage_state=state, java_script_enabled=False)
        page = context.new_page()
        page.goto(address)
        with page.expect_response(f"{server.url}/sign-out") as sent:
            page.click("button")
        assert sent.value.status == 403
        assert "kpf_session=" in sent.value.request.all_headers().get("cookie", "")
        page.goto(f"{server.url}/comparisons")
        assert page.url == f"{server.url}/comparisons", "the session goes on"
        context.close()


@contextmanager
def neighbour(page: str) -> Iterator[str]:
    """Serve one page on another port of this machine."""

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    with HTTPServer(("127.0.0.1", 0), Pages) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{other.server_port}/"
        other.shutdown()
