"""Money: what stones are worth in US dollars, as people write it; no statement depends on it, so it refuses none."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kpfootprint.ingest.problems import Broken
from kpfootprint.ingest.raw.cells import THOUSANDS, Cell, DecimalMarks, is_blank, read_number, read_numbers, text_of
from kpfootprint.ingest.words import plain, tokens_of

_DOLLARS = r"us\s?\$|\$\s?us|\$|usd|us dollars?|dollars?(?: us)?"
_OTHERS = r"[€£¥₽]|euros?|eur|(?:f\.?\s?)?cfa|xaf|xof|fcfa|francs?|gbp|chf|zar|bwp|aoa|kz|aed|inr|rub|руб\.?|cny|ils"
_AMOUNT = re.compile(
    rf"(?:(?P<before>{_DOLLARS}|{_OTHERS})\s*)?(?P<number>[-+]?[\d.,'’\s]*\d)(?:[.,]\s?[-–—]{{1,2}})?"
    rf"(?:\s*(?P<after>{_DOLLARS}|{_OTHERS}))?"
)
_GROUPED = re.compile(r"[-+]?[1-9]\d{0,2}(?P<mark>[.,'’ ])\d{3}(?:(?P=mark)\d{3})*(?:(?!(?P=mark))[.,]\d{1,2})?")
"""Thousands parted by one mark, with another before the cents."""


def is_other_currency(text: str) -> bool:
    """Say whether a text names money other than US dollars: ``F CFA``, ``€``."""
    return re.fullmatch(_OTHERS, plain(text).strip()) is not None


def names_dollars(text: str) -> bool:
    """Say whether a text names US dollars somewhere: ``Value (USD)``, ``$ 120``."""
    return "$" in text or any(word.startswith(("usd", "dollar")) for word in tokens_of(text))


def amount_of(cell: Cell, marks: DecimalMarks) -> tuple[float | Broken, str]:
    """Return an amount with the currency beside it, blank where none is: ``1 200 F CFA``, ``$ 1,560``, ``120.-``.

    Of two marks, or of one that comes again, the first parts thousands; so does the only one before three digits where
    the table writes the other one before decimals, or a comma where a currency stands beside it.
    """
    found = _AMOUNT.fullmatch(plain(text_of(cell)).strip()) if isinstance(cell, str) else None
    if found is None:
        return read_number(cell, marks), ""
    number, currency = " ".join(found["number"].split()), found["before"] or found["after"] or ""
    hit = _GROUPED.fullmatch(number)
    single = THOUSANDS.fullmatch(number) is not None
    beside = marks.comma if hit and hit["mark"] == "." else marks.point or (bool(currency) and not marks.comma)
    if hit and (beside or not single):
        return float(number.replace(hit["mark"], "").replace(",", ".")), currency
    unsure = single and bool(currency)  # ``$ 1.250`` among decimal points
    return Broken("ambiguous_number") if unsure else read_number(number, marks), currency


def read_value(cell: Cell, marks: DecimalMarks) -> float | Broken | None:
    """Return a cell in dollars, None where it is blank; another currency, words and less than nothing are none."""
    amount, currency = amount_of(cell, marks)
    if isinstance(amount, Broken) or is_other_currency(currency) or not amount <= 1e12 or amount < 0:
        return None if is_blank(cell) else amount if isinstance(amount, Broken) else Broken("not_a_number")
    return amount


def read_dollars(cells: Sequence[Cell], marks: DecimalMarks) -> tuple[NDArray[np.float64], list[int]]:
    """Return distinct cells in dollars, NaN where they are none, with the positions of what is something else."""
    values, broken = read_numbers(cells, marks)
    wrong = {*broken, *np.flatnonzero((values < 0) | (values > 1e12)).tolist()}
    if wrong:
        values = values.copy()
    for at in [*wrong]:
        amount = read_value(cells[at], marks)
        values[at] = np.nan if isinstance(amount, Broken) or amount is None else amount
        wrong -= set() if isinstance(amount, Broken) else {at}
    return values, sorted(wrong)
