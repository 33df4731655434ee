"""Words that never appear: they say more than a footprint can."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import kpfootprint.report
from kpfootprint.report import compare_side_by_side, render_html, render_text
from tests.every import every
from tests.quoted import glossary_markdown
from tests.report.factory import KINDS, make_report

FOLDER = Path(kpfootprint.report.__file__).parent
NEVER = re.compile(
    r"\bprov(e|es|ed|en|ing)\b|\bmatch(es|ed|ing)?\b|\bconfirm(s|ed|ing|ation)?\b|\bauthentic\w*|"
    r"conflict[ -]diamonds?|blood[ -]diamonds?|"
    r"\bprouv(e|es|ent|\u00e9e?s?|er|ant)\b|\bconfirm(e|es|ent|\u00e9e?s?|er|ant)\b|\bauthenti\w*|"
    r"diamants? de (conflit|guerre|sang)|\bpreuves?\b|\bproofs?\b",
    re.IGNORECASE,
)


def test_the_pattern_finds_what_it_should() -> None:
    for text in ("This proves it", "it matches", "Confirmed", "inauthentic? authentic", "conflict diamonds"):
        assert NEVER.search(text)
    for text in ("cela prouve", "confirm\u00e9e", "Authentique", "diamants de conflit"):
        assert NEVER.search(text)
    assert not NEVER.search("improves, consistent with, supports, \u00e9preuve")


@every(
    "path",
    sorted(p for p in FOLDER.rglob("*") if p.suffix in (".py", ".html", ".css", ".typ", ".po", ".json", ".toml")),
)
def test_no_source_of_a_report_holds_one(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"^\s*match \w+.*:$", "", text, flags=re.MULTILINE)  # the statement of the language
    assert NEVER.findall(text) == []


@pytest.mark.slow
@every("lang", ["en", "fr"])
@every("kind", KINDS)
def test_no_report_holds_one(kind: str, lang: str) -> None:
    report = make_report(kind)  # type: ignore[arg-type]
    for shown in (render_html(report, lang), render_text(report, lang), report.to_json()):
        assert not NEVER.search(shown)


def test_neither_the_glossary_nor_a_side_by_side_holds_one() -> None:
    assert not NEVER.search(glossary_markdown())
    assert not NEVER.search(compare_side_by_side([make_report(kind) for kind in KINDS], "fr"))


def test_a_conclusion_speaks_of_support_and_consistency() -> None:
    assert "Consistent with what was declared" in render_text(make_report("consistent"))
    consistent, query = (" ".join(render_text(make_report(kind)).split()) for kind in ("consistent", "query"))
    assert "support for what was declared over a source elsewhere" in consistent
    assert "support for a source elsewhere over what was declared" in query
