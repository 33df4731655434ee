"""Which field of a parcel a label and its value are, ``Exporter: A``, and whether two values say one thing."""

from __future__ import annotations

import re
from datetime import date

from kpfootprint.ingest.columns.origins import PARTS, is_of_origin
from kpfootprint.ingest.names.headers import Headers
from kpfootprint.ingest.names.statements import STATED, condition_said, stated
from kpfootprint.ingest.parcels.records import CONDITIONS
from kpfootprint.ingest.problems import Broken
from kpfootprint.ingest.raw.cells import Cell, DecimalMarks, is_blank, read_date, read_number, text_of, without_unit
from kpfootprint.ingest.raw.rounding import unit_written
from kpfootprint.ingest.words import (
    all_say,
    condition_values,
    fold,
    fold_sure,
    holds,
    is_not_recorded,
    is_number_of,
    says,
    tokens_of,
)

TITLED = ("certificate_no", "exporter", "exported_on", "hs_code", "n_parcels", *CONDITIONS)
"""Fields of a parcel that titles above a table may give, or columns that say the same in every row."""
IDS = ("parcel_id", "certificate_no")
_HEADS = ("money", "value_usd", "mean", "percent", "n_stones", "carats")
"""What heads a column and is no name of a sieve set, or of a parcel."""
NOT_HEADS = ("sieve_set", *IDS)
_WITH_GOODS = re.compile(r"(?P<name>.*?\w)\s*[-–,;/(]\s*(?P<goods>\d.*)")
ID = re.compile(r"(?=\S*[^\W\d])(?=\S*\d)[\w/.-]{4,}")
"""What is the name of a parcel, and none of who signs: ``CAR-2019-07``."""
_LONG_NUMBER = re.compile(r"\d{4}")
_MILLIMETRES = re.compile(r"\s*mm\.?$", re.IGNORECASE)


def field_named(key: str, value: Cell, headers: Headers) -> str:
    """Return the field of a parcel that a label names, or nothing."""
    in_mm = _MILLIMETRES.search(text_of(value)) is not None and all_say(("screen", "filler"), tokens_of(key))
    known = headers.field(key) or headers.measure(key)
    if is_number_of(tokens_of(key)) and says("several_parcels", *tokens_of(key)):
        return "n_parcels"
    return "bottom_screen_mm" if in_mm else known or (key if key in STATED else "")


def field_of(name: str, value: Cell) -> str | None:
    """Return the field that a value is of, where it may be one of it; otherwise a title is a title and no more."""
    text = text_of(value)
    named = name in (*IDS, "exporter", "sorter")
    if named and (not any(map(str.isalnum, text)) or is_not_recorded(text)):
        return None  # ``Exporter: ______``
    if name == "certificate_no" and len([*filter(_LONG_NUMBER.search, PARTS.split(text))]) > 1:
        return None  # ``CF 000456 / CF 000457``
    tokens = tokens_of(text)
    by_what = all_say(("size", "quality", "filler", "by_hand", "carats"), tokens) or says("by_hand", *tokens[:1])
    if name == "sorter" and by_what:
        return None  # ``Sorted by size``, ``Sorted by hand under a lamp``
    if name in ("exported_on", "value_usd"):
        return name if any(char.isdigit() for char in text) else None
    if name in ("cleaning_state", "selection", "specials_removed"):
        return name if fold_sure(text) in condition_values(name) or condition_said(name, text) is not None else None
    if name == "n_parcels":
        return name if text.isdigit() else None
    if name == "sieve_set":
        return name if 0 < len(text) <= 80 and not any(map(str.isdigit, text)) and not is_blank(value) else None
    if name in (*STATED, "bottom_screen_mm"):
        bare = text if name == "bottom_screen_mm" else without_unit(text)
        number = "" if isinstance(bare, Broken) else bare.replace(" ", "").replace(",", ".").lower().removesuffix("mm")
        if name == "n_stones" and not number.removesuffix(".0").isdigit():
            return None  # ``Parcel of 70 stones`` beside ``12.60 ct``
        return name if re.fullmatch(r"0*[1-9]\d*(\.\d+)?|0*\.\d+|0\.\d+", number) else None
    return name if name in (*TITLED, "parcel_id") and 0 < len(text) <= 80 else None


def parts_of_field(told: str, value: Cell, headers: Headers) -> dict[str, Cell]:
    """Return what a label says, by field: a certificate may bear the weight of its goods, ``CF000231 - 12.60 ct``."""
    text = text_of(value)
    if told == "bottom_screen_mm" and isinstance(value, str):
        return {told: _MILLIMETRES.sub("", value)}
    if told in IDS and (hit := _WITH_GOODS.fullmatch(text)) and (more := stated(hit["goods"], headers)):
        return {told: hit["name"], **more}
    if told == "sieve_set":
        known = {fold(item.name): item.name for item in headers.words.scheme.sieve_sets}
        return {told: next((known[token] for token in tokens_of(text) if token in known), text)}
    return {told: value}


def same(name: str, one: Cell, other: Cell) -> bool:
    """Say whether two cells say one thing of a field; numbers are alike as far as both are written."""
    days = [read_date(cell) for cell in (one, other)] if name == "exported_on" else []
    if len(days) == 2 and all(isinstance(day, date) for day in days):
        return days[0] == days[1]
    numbers = [read_number(cell, DecimalMarks()) for cell in (one, other)] if name in STATED else []
    said = [number for number in numbers if not isinstance(number, Broken)]
    if name not in TITLED and len(said) == 2:
        coarse = max(unit_written(cell, number) for cell, number in zip((one, other), said, strict=True))
        return abs(said[0] - said[1]) <= 0.5 * coarse + 1e-9
    return name not in (*TITLED, *IDS) or fold(text_of(one)) == fold(text_of(other))


def may_be_a_sieve(key: str, value: Cell) -> bool:
    """Say whether a whole number without millimetres may be that of a sieve: ``Bottom sieve: 3``."""
    return text_of(value).strip().isdigit() and "mm" not in tokens_of(key)


def heads(text: str, headers: Headers) -> bool:
    """Say whether what stands beside a label is no value, and the header of a column."""
    return not any(map(str.isdigit, text)) and headers.of(text).role in _HEADS


def is_condition(key: str, told: str | None) -> bool:
    """Say whether a line below a table tells a condition of its parcel, and not who signs it."""
    return told in CONDITIONS and told != "sorter" and not holds("signed", tokens_of(key))


def anchors(key: str, value: Cell, headers: Headers) -> bool:
    """Say whether a line below a table tells what nobody signs with: lines beside it are of the parcel as well."""
    known = headers.field(key)
    if is_of_origin(key, headers):
        return headers.words.zone(text_of(value)) is not None
    if known == "parcel_id":
        return not says("lot", *tokens_of(key)) and ID.fullmatch(text_of(value)) is not None
    anchor = known in ("exported_on", "certificate_no", *CONDITIONS) and known != "sorter"
    return anchor and known is not None and field_of(known, value) == known
