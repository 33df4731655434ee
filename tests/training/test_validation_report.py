from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from tests.training.evaluations import make_evaluation
from training.acceptance import Criteria
from training.config import read_config
from training.record import CHARACTERISTICS, Evaluation
from training.validation_report import detection_limits, render_validation, validation_rows

pytestmark = pytest.mark.slow

NEVER = r"\b(proves?|match(es)?|confirms?|authentic|conflict diamonds?)\b"


@pytest.fixture(scope="module")
def criteria() -> Criteria:
    return read_config().acceptance


@pytest.fixture(scope="module")
def page(criteria: Criteria) -> str:
    return render_validation(make_evaluation(criteria), criteria)


def test_same_evaluation_same_bytes(page: str, criteria: Criteria) -> None:
    assert render_validation(make_evaluation(criteria), criteria) == page


def test_every_criterion_and_result_has_a_row(criteria: Criteria) -> None:
    evaluation = make_evaluation(criteria)
    rows = validation_rows(replace(evaluation, results=evaluation.results[:3]), criteria)
    assert {(r.of.metric, r.of.conditions) for r in rows} == {(c.metric, c.conditions) for c in criteria.criteria}
    assert sum(row.verdict == "goal reached" for row in rows) == 3
    assert sum(row.verdict == "not measured" for row in rows) == len(criteria.criteria) - 3


def test_the_table_shows_every_result(criteria: Criteria) -> None:
    """Of worlds that differ too, and what another version called a characteristic."""
    evaluation = make_evaluation(criteria)
    first = evaluation.results[0]
    others = (
        replace(first, characteristic="other worlds", conditions="world: heavy tails"),
        replace(first, characteristic="fusion", conditions="as another version collected"),
    )
    text = replace(evaluation, results=(*evaluation.results, *others)).to_json()
    page = render_validation(Evaluation.from_json(text.replace('"fusion"', '"of another version"')), criteria)
    shown = re.findall(r'<th scope="rowgroup" rowspan="\d+">([^<]+)</th>', page)
    assert shown == [name for name in (*CHARACTERISTICS, "of another version") if name in shown]
    assert {result.conditions for result in others} <= set(re.findall(r"<td>([^<]+)</td>", page))


def test_the_page_loads_nothing_and_ids_are_unique(page: str) -> None:
    assert 'lang="en"' in page
    assert page.count("<svg ") == 9
    assert not re.findall(r'(?:src|href)="(?!#)', page.replace("xlink:href", "href"))
    assert "@import" not in page
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    targets = re.findall(r'href="#([^"]+)"', page) + re.findall(r"url\(#([^)]+)\)", page)
    assert set(targets) <= set(ids)


def test_the_page_is_well_formed_and_escaped(page: str) -> None:
    class Checker(HTMLParser):
        open_tags: list[str]

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
            if tag not in ("meta", "br", "img", "link"):
                self.open_tags.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert self.open_tags.pop() == tag

    checker = Checker()
    checker.open_tags = []
    checker.feed(page)
    assert checker.open_tags == []
    assert "P&lt;1&gt;" in page
    assert "P<1>" not in page


def test_words_that_claim_too_much_are_absent(page: str) -> None:
    assert not re.search(NEVER, page, flags=re.IGNORECASE)


def test_nothing_measured_is_said_plainly(criteria: Criteria) -> None:
    bare = replace(
        make_evaluation(),
        trials=(),
        coverage=(),
        detection=(),
        novelty=(),
        decisions=(),
        suspects=(),
        made={},
        bounds=None,
    )
    page = render_validation(bare, criteria)
    assert "No trials were recorded." in page
    assert f"{len(criteria.criteria)} of the criteria: not measured" in page


def test_detection_limits_by_hand() -> None:
    # 100 stones: 17 of 20 at one half is short of nine in ten; 1,000 stones: 18 of 20 at one fifth reaches it.
    found = detection_limits(make_evaluation().detection)
    assert found == [
        ("single", 100, "none within the grid", "0.050 (1 of 20)"),
        ("single", 1000, "20%", "0.050 (1 of 20)"),
    ]
