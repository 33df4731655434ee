"""Labels of size classes: what is written in many ways is one class, and what could be two is none."""

from __future__ import annotations

from kpfootprint.ingest.names.labels import set_of
from kpfootprint.ingest.names.size_labels import size_span
from kpfootprint.scheme import Scheme
from tests.every import every

ALIKE = {
    (10.795, None): (
        "+10.8 ct",
        "+10.8",
        "10.8+",
        "10,8 ct and up",
        "10.8 & up",
        "10.8 cts & above",
        "over 10.8 ct",
        "+ de 10,8 carats",
        "10.8 carats et +",
        "Specials (+10.8)",
        "SPECIALS > 10.8 CT",
        "Spéciales (+10,8 ct)",
        "+10.8 ct (specials)",
        "Grosses pierres +10,8 ct",
        "1) +10.8 ct",
    ),
    (4.795, 10.795): (
        "5-10 ct",
        "5 to 10 cts",
        "5/10 ct",
        "5ct-10ct",
        "De 5 à 10 carats",
        "between 5 and 10 ct",
        "+5 ct -10 ct",
        "-10+5 ct",
        "5 ct < 10 ct",
        "5 tot 10 karaat",
        "5–10 crt",
    ),
    (0.895, 1.195): (
        "4 gr",
        "4GR.",
        "4-grainer",
        "Gr 4",
        "4 grainers",
        "4 gr (0.90-1.19)",
        "4 gr (0.90-1.19 ct)",
        "Cat. 4 grs",
        "a) 4 gr",
        "4 grain stones",
    ),
    (0.495, 0.755): ("½-¾ ct", "0.50-0.75 ct"),
    (1.495, 2.005): ("1½-2 ct", "1.5-2 ct"),
    (3.795, 4.795): ("4 ct", "4 carats", "4-carater", "4 carat stones", "4 ctr", "Ct 4"),
    (None, 0.375): ("-2 gr", "under 2 gr", "< 2 grainers", "moins de 2 gr", "Smalls (-2 gr)"),
    (None, 0.655): ("2 gr & down", "2 gr and below", "2 gr down"),
    (0.175, 0.315): ("+9-11", "-11+9", "- 11 + 9", "+9 to 11", "Minus 11 plus 9", "+9/-11", "2. +9-11", "Sieve +9-11"),
    (0.315, None): (
        "+11",
        "11+",
        "Sieve 11",
        "Tamis n° 11",
        "DTC +11",
        "+11 sieve",
        "plus 11",
        "+11 (4.1 mm)",
        "b. +11",
    ),
}


@every("limits", ALIKE)
def test_a_class_is_one_however_it_is_written(limits: tuple[float | None, float | None], scheme: Scheme) -> None:
    spans = {label: size_span(label, scheme) for label in ALIKE[limits]}
    assert {label: span and (span.lower_ct, span.upper_ct) for label, span in spans.items()} == dict.fromkeys(
        spans, limits
    )


@every(
    "label",
    [
        "1. 4 gr",  # 1.4 as well
        "1/2 ct",
        "3/4 ct",
        "10-5 ct",
        "+11-9",
        "4 gr (2.00-2.49)",
        "4 gr - 2 ct",
        "Smalls +5 ct",
        "Specials 3-5 ct",
        "2 stones of 5 ct",
        "4 gr white",
        "K1",
        "No. 11",
        "11",
        "9-11",
        "5+ pieces",
        "+2.0 mm",
        "about 2 ct",
        "4 gr or 5 gr",
    ],
)
def test_what_could_be_two_or_is_more_than_a_size_is_none(label: str, scheme: Scheme) -> None:
    assert size_span(label, scheme) is None


def test_numbers_of_rows_are_no_part_of_sizes(scheme: Scheme) -> None:
    plain, _ = set_of(["8 gr", "6 gr", "5 gr", "4 gr"], scheme)
    numbered, unknown = set_of(["1. 8 gr", "2. 6 gr", "3. 5 gr", "4. 4 gr"], scheme)
    assert plain is not None
    assert numbered is not None
    assert not unknown
    assert numbered.lower_ct == plain.lower_ct
