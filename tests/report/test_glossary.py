"""The glossary: one source for reports and documentation, and terms found in running text."""

from __future__ import annotations

from pathlib import Path

from kpfootprint.report.glossary import Linker, glossary
from kpfootprint.report.locale import words
from kpfootprint.retold import LANGUAGES
from tests.quoted import glossary_markdown

DOCS = Path(__file__).parents[2] / "docs" / "glossary.md"


def test_the_documentation_has_the_same_glossary() -> None:
    """``make docs`` writes it."""
    assert DOCS.read_text(encoding="utf-8") == glossary_markdown()


def test_terms_are_distinct_and_in_order() -> None:
    for lang in LANGUAGES:
        terms = glossary(words(lang))
        assert len({term.key for term in terms}) == len(terms) > 25
        forms = [form for term in terms for form in term.forms]
        assert len(set(forms)) == len(forms)
        assert all(form == form.lower() and form for form in forms)
    assert [term.term for term in glossary(words("fr"))][1:3] == ["Bornes", "Conclusion"]
    assert glossary(words("fr"))[6].term == "\u00c9chelle verbale"


def test_a_term_is_linked_once_a_section_and_never_within_a_word() -> None:
    found = Linker(glossary(words("en")))
    text = "The likelihood ratio LR of a parcel; parcels, parcelled, p = 1"
    assert found.runs(text, "s") == [
        ("The ", None),
        ("likelihood ratio", "lr"),
        (" LR of a ", None),
        ("parcel", "parcel"),
        ("; parcels, parcelled, ", None),
        ("p", "p"),
        ("\u00a0=\u00a01", None),
    ]
    assert found.runs("LR", "s") == [("LR", None)]
    assert found.runs("", "s") == [("", None)]


def test_runs_put_together_are_the_text() -> None:
    text = "H1: the parcel comes from the zone Nola; H2, elsewhere (expected range, expected)."
    assert "".join(piece for piece, _ in Linker(glossary(words("en"))).runs(text, "s")) == text
