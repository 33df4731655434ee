"""The rules an input can break: a stable name each, and how it is told.

``Problem.code`` is a key of `RULES`, and never changes its meaning. Texts in other languages hang on these names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from kpfootprint.errors import Problem

RULES: Final[Mapping[str, str]] = {
    # files
    "file_missing": "there is no such file or folder",
    "file_empty": "the file is empty",
    "wrong_file_kind": "the file is not what its name says: {found}",
    "unknown_file_kind": "files of this kind cannot be read; give .csv, .csv.gz, .xlsx, .zip or a folder",
    "bad_encoding": "the text is neither UTF-8 nor cp1252; save it as UTF-8",
    "bad_csv": "the text cannot be read as CSV: {detail}",
    "damaged_file": "the file is damaged and cannot be unpacked: {detail}",
    "encrypted_file": "the file is protected by a password",
    "path_outside": "the archive holds a path outside itself",
    "archive_link": "the archive or folder holds a link; give the file itself",
    "unpacks_too_large": "the file unpacks to more than {limit} bytes",
    "unpack_ratio": "the file unpacks to more than {limit} times its size",
    "too_many_files": "more than {limit} files",
    "too_many_rows": "more than {limit} rows",
    "too_many_columns": "more than {limit} columns",
    # tables
    "no_tables": "no table was found; a submission has stones or counts, and mostly parcels and declarations",
    "unknown_table": "the table is not one of {known}",
    "table_twice": "the table is given twice, the other one is {other}",
    "missing_column": "the column {column} is missing; the headers are {headers}",
    "column_twice": "two columns mean {column}",
    "unknown_column": "the column is not known; did you mean {nearest}?",
    "ragged_row": "the row has {found} cells under {expected} headers; quote cells that hold the separator",
    "unequal_columns": "the column has {found} values where {column} has {expected}",
    "several_parcels": "one parcel is expected here, and {found} are given",
    "wrong_type": "a value of this kind cannot stand here; {expected} is expected",
    # cells
    "formula_cell": "the cell holds a formula; put its value in its place",
    "missing_value": "a value is missing",
    "not_a_number": "not a number",
    "ambiguous_number": "the number can be read in two ways; write it without thousands separator, as 1234.5",
    "not_finite": "the number is not finite",
    "negative": "the number is negative",
    "zero": "the number is zero; it must be above",
    "not_whole": "not a whole number",
    "too_large": "the number is above {limit}",
    "not_a_date": "not a date; write dates as YYYY-MM-DD",
    "not_yes_or_no": "neither yes nor no",
    "unknown_class": "not a known {attribute}; the nearest known are {nearest}",
    "unknown_zone": "not a known zone; the nearest known are {nearest}",
    "unknown_sieve_set": "not a known sieve set; known are {known}; declare another one in size_classes",
    # parcels
    "duplicate_parcel": "the parcel is given twice, first in row {first}",
    "unknown_parcel": "the parcel is not in the table of parcels",
    "no_stones": "the parcel has no stones",
    "stones_and_counts": "the parcel has stones and counts; give one of the two",
    "no_class": "the row of counts names no class",
    "breakdowns_disagree": "the breakdown by {attributes} sums to {found}, the breakdown by {others} to {expected}",
    "sample_exceeds": "the graded sample holds {found} stones, the whole only {expected}",
    "sample_alone": "only a graded sample is counted; say how many stones and carats the whole parcel has",
    "stones_total": "the parcel declares {expected} stones, its rows hold {found}",
    "carats_total": "the parcel declares {expected} ct, its rows weigh {found} ct; rounding explains {tolerance} ct",
    "bad_sieve_set": "the size classes do not make a sieve set: {detail}",
    "declared_without_carats": "several zones are declared; each needs its carats",
    "unknown_country": "no zone of the reference lies there; known are {known}",
    "zone_or_country": "a declaration names a zone or a country, one of the two",
    "carats_and_percent": "all declarations are in carats or all are in percent of the carats",
    "percent_total": "the declared percentages add up to {found}, not to 100",
    "more_problems": "{count} more problems are not listed",
}


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that a value breaks, before it is known where the value stands."""

    code: str
    values: Mapping[str, object] = field(default_factory=dict)

    @property
    def reason(self) -> str:
        """What is wrong, in English."""
        return RULES[self.code].format(**self.values)


def problem(
    broken: Broken, *, table: str, row: int | None = None, column: str | None = None, value: object = None
) -> Problem:
    """Place a broken rule; long values are cut, and what cannot be written as UTF-8 is replaced."""
    return Problem(
        table=_told(table, 80),
        row=row,
        column=None if column is None else _told(column, 80),
        value=None if value is None else _told(str(value), 80),
        code=broken.code,
        reason=_told(broken.reason, 400),
    )


def _told(text: str, length: int) -> str:
    text = text.encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= length else text[: length - 1] + "…"
