"""The translations hold every message, and French is French."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import unescape

import pytest

from kpfootprint.report import compare_side_by_side, render_html, render_text
from kpfootprint.retold import LANGUAGES
from tests.report.catalogue import extracted, read_catalogue
from tests.report.factory import KINDS, make_report

SAME_IN_FRENCH = {
    *("Zone", "Conclusion", "Question", "Sections", "Attribution"),
    *("Contribution", "Carats", "{zone} {carats} ct", "{name} {version}"),
}


def forms(message: str | Sequence[str] | None) -> tuple[str, ...]:
    return (message,) if isinstance(message, str) else tuple(message or ())


def test_every_message_is_translated_and_none_is_left_over() -> None:
    catalogue = read_catalogue()
    wanted = {forms(message.id) for message in extracted() if message.id}
    found = {forms(message.id): forms(message.string) for message in catalogue if message.id}
    assert set(found) == wanted, "run python -m tests.report.catalogue"
    assert [message for message, shown in found.items() if not all(shown)] == []
    assert not any(message.fuzzy for message in catalogue if message.id)


def test_placeholders_are_those_of_the_message() -> None:
    for message in read_catalogue():
        if message.id:
            wanted = set(re.findall(r"\{(\w+)\}", forms(message.id)[-1]))
            for shown in forms(message.string):
                assert set(re.findall(r"\{(\w+)(?::[a-z\u00e0]+)?\}", shown)) == wanted, message.id


def test_french_is_not_english_but_where_the_words_are_the_same() -> None:
    same = {
        forms(message.id)[0].strip("|")
        for message in read_catalogue()
        if message.id and forms(message.id) == forms(message.string)
    }
    assert same <= SAME_IN_FRENCH


def test_french_has_its_own_spaces_and_apostrophes() -> None:
    for message in read_catalogue():
        if message.id:
            for shown in forms(message.string):
                assert not re.search(r" [:;?!%\u00bb]|\u00ab |'", shown), shown


def test_no_number_below_zero_is_written_with_a_hyphen() -> None:
    for message in read_catalogue():
        if message.id:
            for shown in (*forms(message.id), *forms(message.string)):
                assert not re.search(r"(?<![\w+])-\d", shown), shown


def test_french_pages_have_french_spaces_in_the_texts_of_their_pictures_too() -> None:
    reports = [make_report(kind) for kind in KINDS]
    for page in (*(render_html(report, "fr") for report in reports), compare_side_by_side(reports, "fr")):
        for text in re.findall(r"<desc[^>]*>(.*?)</desc>", page):
            assert not re.search(r"(?<!\u00a0)[;:?!]", unescape(text)), text


@pytest.mark.slow
@pytest.mark.parametrize("kind", [*KINDS, "side by side"])
def test_no_english_is_left_in_a_french_report(kind: str) -> None:
    """Every message of several words that the English report shows must be gone from the French one."""
    if kind == "side by side":
        reports = [make_report(kind) for kind in KINDS]
        shown = {lang: compare_side_by_side(reports, lang) for lang in LANGUAGES}
    else:
        report = make_report(kind)  # type: ignore[arg-type]
        shown = {lang: render_html(report, lang) + render_text(report, lang) for lang in LANGUAGES}
    pages = {lang: " ".join(re.sub(r"<[^>]+>", "", unescape(page)).split()) for lang, page in shown.items()}
    pieces = {
        piece.strip()
        for message in extracted()
        if message.id
        for form in forms(message.id)
        for piece in re.split(r"\{\w+\}", form)
        if piece.strip().count(" ") >= 2
    }
    assert len([piece for piece in pieces if piece in pages["en"]]) > 20
    assert [piece for piece in pieces if piece in pages["fr"]] == []
