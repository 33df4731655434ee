"""The QR code: it says the report's code, or where a service keeps the report, and stands on page and paper."""

from __future__ import annotations

import io
import re

import pytest
import segno
from pypdf import PdfReader

from kpfootprint.report import Stationery, render_html, render_pdf
from kpfootprint.report.report import short_code
from kpfootprint.report.whole import QUIET, address_of, lay_out, qr_code
from tests.every import every
from tests.report.factory import KINDS, Kind, make_report


def modules(svg: str) -> set[tuple[int, int]]:
    """Return the dark modules of a drawn code, without its quiet zone."""
    path = re.search(r'<path[^>]*stroke="#000"[^>]* d="([^"]+)"', svg)
    assert path is not None
    dark, x, y = set(), 0.0, 0.0
    for command, first, second in re.findall(r"([Mmh])(-?[\d.]+)(?: (-?[\d.]+))?", path[1]):
        if command == "M":
            x, y = float(first), float(second)
        elif command == "m":
            x, y = x + float(first), y + float(second)
        else:
            dark |= {(int(x) + k - QUIET, int(y) - QUIET) for k in range(int(first))}
            x += float(first)
    return dark


@pytest.mark.parametrize("text", ["2713-A82E-B04C-2EFD", "https://footprint.example/code?code=2713-A82E-B04C-2EFD"])
def test_what_is_drawn_is_what_is_encoded(text: str) -> None:
    code = segno.make(text, error="m", micro=False)
    expected = {(x, y) for y, row in enumerate(code.matrix) for x, dark in enumerate(row) if dark}
    svg = qr_code(text, "a title")
    assert modules(svg) == expected
    assert "<title>a title</title>" in svg
    assert 'fill="#fff"' in svg


@every("lang", ["en", "fr"])
@every("kind", KINDS)
def test_every_report_has_one_with_its_code(kind: Kind, lang: str) -> None:
    report = make_report(kind)
    code = short_code(report.report_id)
    assert lay_out(report, lang).qr == qr_code(code, lay_out(report, lang).qr_label)
    page = render_html(report, lang)
    assert page.count('class="qr"') == 1
    assert code in page


@pytest.mark.slow
def test_with_an_address_it_leads_there() -> None:
    report = make_report("query")
    office = Stationery(address="https://footprint.example/cf/")
    where = address_of(short_code(report.report_id), office.address)
    assert where == f"https://footprint.example/cf/code?code={short_code(report.report_id)}"
    laid = lay_out(report, "en", office)
    assert laid.qr == qr_code(where, laid.qr_label)
    page = PdfReader(io.BytesIO(render_pdf(report, stationery=office))).pages[0]
    assert short_code(report.report_id) in page.extract_text()
