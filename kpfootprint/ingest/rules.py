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
    "unknown_file_kind": "files of this kind cannot be read; give .csv, .csv.gz, .xlsx, .ods, .xls, .zip or a folder",
    "hidden_table": (
        "the file is hidden, or was left by a program that had {name} open, and {name} is not here; give {name}, or "
        "take this file out"
    ),
    "strict_workbook": "the workbook is a Strict Open XML one; save it as an ordinary Excel workbook (.xlsx)",
    "formulas_in_workbook": (
        "the workbook holds formulas without the values that they gave; open it, save it again, or put values in "
        "their place"
    ),
    "unit_shown": (
        "the workbook shows numbers in a unit that is not carats ({unit}), and of which cells cannot be told here; "
        "give carats, or save it as .xlsx"
    ),
    "not_json": "this is not JSON: {detail}",
    "bad_encoding": "the text is neither UTF-8 nor cp1252; save it as UTF-8",
    "bad_quotes": (
        "quotes do not close as they should from this row on: a quoted cell holds a line break, has text after "
        "its closing quote, or is never closed; take out the quotes that mean inches or nothing"
    ),
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
    "too_many_blank_rows": "more than {limit} blank rows between or below the filled ones; delete them",
    "too_many_texts": "more than {limit} texts in one workbook",
    "too_many_totals": (
        "{count} rows or more say total or mean in this column, which no table has; leave the column out, or write "
        "its words otherwise"
    ),
    "row_too_far": "a row beyond {limit}, where sheets end",
    # tables
    "no_tables": "no table was found; a submission has stones or counts, and mostly parcels and declarations",
    "unknown_table": "the table is not one of {known}",
    "declarations_alone": (
        "the table declares {zones} and holds no stones, so that there is nothing to compare; bring a stone list "
        "or a sorting sheet of the parcel, and give this table beside it, in one folder, archive or workbook"
    ),
    "percent_alone": (
        "percentages alone have no number of stones, on which every statement depends; give the number of stones "
        "(and carats) of each class"
    ),
    "percent_of_classes": (
        "the classes of {attribute} are given in percent alone ({headers}); give the number of stones of each, or say "
        "that they are not to be read"
    ),
    "unknown_member": "the member is not known here; did you mean {nearest}?",
    "table_twice": (
        "the table is given twice, the other one is {other}; give one of them, or one file for each parcel, or all "
        "rows in one table with a column parcel_id"
    ),
    "missing_column": (
        "the column {column} is missing; the headers are {headers}; write {column} above the column that holds it"
    ),
    "one_column": "all stands in one column, {header}; part the columns by semicolons, commas or tabs",
    "no_header": (
        "no row of headers was found: the first row is {headers}; write one above it, such as weight_ct, colour, "
        "morphology for a list of stones, or size_class, n_stones, carats for a sorting sheet"
    ),
    "column_twice": "two columns mean {column}; take one of them out, or head it remarks",
    "unknown_column": "the column is not known; did you mean {nearest}?",
    "ragged_row": "the row has {found} cells under {expected} headers; quote cells that hold the separator",
    "unequal_columns": "the column has {found} values where {column} has {expected}",
    "several_parcels": "one parcel is expected here, and {found} are given: {known}; name one of them by its parcel id",
    "size_or_weight": (
        "the column could be the size of a class or the weight of a stone; head it size_class or weight_ct"
    ),
    "stones_or_cells": (
        "several rows have the same class in {header} and no number of stones, so that a row could be a stone or a "
        "part of a class; head the column remarks if each row is one stone, or give the numbers of stones"
    ),
    "lots_without_numbers": (
        "the rows seem to be lots of several stones, by {header}, and no column says how many; give the number of "
        "stones of each lot in a column headed n_stones, or head that column remarks if each row is one stone"
    ),
    "unknown_parent": "the row names a parent that is not in the table {table}; export both tables whole",
    "points_or_carats": (
        "all weights of {header} are whole numbers, so that they could be points (0.01 ct); give carats, or head the "
        "column weight_ct if they are"
    ),
    "blank_below": (
        "{header} is blank here and filled above and below, so that it could go on from above or be not recorded; "
        "repeat it in each row"
    ),
    "percent_or_numbers": (
        "the classes of each row or column add up to {sum}, so that they could be shares; give numbers of stones or "
        "carats, or say that they are"
    ),
    "weights_below_classes": (
        "several rows of carats stand below classes and no column says what the rows are, so that each number could be "
        "the weight of one stone; write one stone a row (weight_ct, {column}), or put a column of sizes in front"
    ),
    "transposed": (
        "classes stand in columns and {header} in rows; turn the table, so that each class has a row, or each "
        "measure its columns"
    ),
    "word_for_number": (
        "a word stands where the other rows are numbered, so that the row could be a stone or none; number it, name "
        "it Total, or take it out"
    ),
    "number_of_several": (
        "the number of the row names several stones, so that their weights are one; give each stone a row, or head a "
        "column of their numbers n_stones"
    ),
    "heavy_or_carats": (
        "half of the weights of {header} are {middle} or more, so that they could be points or milligrams; give "
        "carats, or head the column weight_ct if they are"
    ),
    "unit_in_title": "the title gives weights in a unit that is not carats; give carats, or head the column weight_ct",
    "count_or_other": (
        "the whole numbers of {header} could be numbers of stones, so that a row is not one stone; head the "
        "column n_stones if they are, or remarks if not"
    ),
    "measure_or_other": (
        "the column {header} could be the stones or carats of the parcel, or of something else; head it n_stones "
        "or carats if it is, or remarks if not"
    ),
    "attribute_or_other": (
        "the column could be {attribute}, by its cells {known} (not known: {unknown}); head it {attribute} and give "
        "known classes, or head it remarks"
    ),
    "zone_or_other": (
        "the cells of {header} are zones; head the column zone_id if they are declared, or remarks if not"
    ),
    "unknown_class_column": (
        "the column {header} stands among columns of classes and names none that is known; use a known class, "
        "give the word its class in a table words (attribute, word, class), or head it remarks if none of its stones "
        "is of the parcel"
    ),
    "unknown_columns": (
        "none of the columns {headers} is known; head pieces n_stones and weights carats (weight_ct, where a row is "
        "one stone), give words of your own their class in a table words (attribute, word, class), or say that they "
        "are parts of one parcel"
    ),
    "classes_or_valuations": (
        "{found} could be classes of stones or those who valued the same parcel; give each class of your "
        "own a known one in a table words (attribute, word, class), declare them in the reference package, or choose a "
        "valuation"
    ),
    "which_valuation": "the sheet gives the same parcel as several parties see it: {found}; choose one of them",
    "lots_or_parcels": (
        "the {found} values of {header} could be parcels of their own or lots of one parcel; head the column "
        "parcel_id if they are parcels, or remarks if not"
    ),
    "sheets_or_parcels": (
        "the sheets {sheets} could be parcels of their own or parts of one parcel; say which, or give each a column "
        "parcel_id"
    ),
    "same_rows": (
        "the table holds the same rows as {other}, so that their stones would be counted twice; take one of the two out"
    ),
    "tables_beside": (
        "{found} tables stand side by side ({headers}); if they are parts of one parcel, say so, else give each its "
        "own sheet, or put them below each other with a column parcel_id; take one out that only sums up the other"
    ),
    "table_below": (
        "another table seems to begin here; give each table its own sheet, or, if all rows are of one parcel, take out "
        "what stands between them or say so"
    ),
    "other_table_below": (
        "another table begins here, with a header of its own; give each table its own sheet, and take one out that "
        "only sums up the other"
    ),
    "other_table_above": (
        "above the table stands another one ({headers}); give each table its own sheet, and take one out that only "
        "sums up the other"
    ),
    "heading_row": (
        "the row {label} stands above others and holds no numbers, so that it could name their class, their lot or "
        "their parcel; write it in a column of its own, in each row that it is about"
    ),
    "row_cancelled": "the remark {label} could mean that the row is no longer of the parcel; take the row out, or say "
    "that it is to be kept",
    "nothing_described": (
        "no word of {header} names a size or a class that is known ({words}); write known ones, or head it remarks"
    ),
    "total_or_stone": (
        "the row is the sum or the number of the rows above it and bears no label; name it Total, take it out, or say "
        "that it is a stone"
    ),
    "summary_or_stone": (
        "the row is called {label} and its numbers are not those of the rows above it, so that it could be a stone "
        "or none; take it out, or put that word in a column headed remarks and give the row its classes"
    ),
    "total_disagrees": "the total says {expected}, the rows that it sums hold {found}; correct one of them",
    "row_total": (
        "the row says {expected} in all, its columns {classes} hold {found}; if only a sample was graded, head "
        "its number sample stones"
    ),
    "sizes_overlap": "the size classes {one} and {other} share weights; give every stone one class",
    "size_mean_outside": (
        "the mean stone of the class is {mean} ct, and the class goes from {lower} to {upper} ct; if sieves were "
        "left out, name both sieves (+11-13), or name the sieve set"
    ),
    "wrong_type": "a value of this kind cannot stand here; {expected} is expected",
    # cells
    "time_cell": "the cell is a time of day; format it as a number",
    "filled_cell": "the cell says something by the colour it is filled with; write the class into it",
    "struck_cell": "the cell is struck out; take its row out, or the line through it",
    "spreadsheet_error": "the spreadsheet shows an error or too narrow a column here; mend it and save the sheet again",
    "merged_number": "the number stands in a cell merged over several rows; give each row its own",
    "unit_elsewhere": "the number bears the unit of another column; give stones and carats in a column each",
    "unknown_unit": "the number bears a unit that is not carats; give carats",
    "formula_cell": (
        "the cell holds a formula without the value that it gave; open the workbook and save it again, or put the "
        "value in its place"
    ),
    "missing_value": "a value is missing; fill the cell, or take the row out",
    "not_a_number": "not a number; write digits, with one decimal point or comma",
    "two_numbers": (
        "the cell holds two numbers; give one: the weight of one stone in a row of its own, or pieces and carats in a "
        "column each"
    ),
    "ambiguous_number": "the number can be read in two ways; write it without thousands separator, as 1234.5",
    "not_finite": "the number is not finite",
    "negative": "the number is negative; give what remains",
    "zero": "the number is zero; it must be above",
    "not_whole": "not a whole number",
    "too_large": "the number is above {limit}",
    "not_a_date": "not a date; write dates as YYYY-MM-DD",
    "not_yes_or_no": "neither yes nor no",
    "unknown_class": (
        "not a known {attribute}; nearest known: {nearest}; give a word of your own its class in a "
        "table words (attribute, word, class), or declare it in the reference package"
    ),
    "several_classes": (
        "{classes} are several classes of {attribute}, and no set of the package holds just these; take one of them, "
        "or a set that holds them ({sets}), or give the word its class in a table words (attribute, word, class)"
    ),
    "unknown_attribute": "there is no attribute {attribute} for words to be chosen for; known are {known}",
    "word_twice": "the word {word} is given two classes; give it one",
    "unknown_size": (
        "not a size class that is known; write sieves as +9-11 or -11+9, grainers as 4 gr, carats as 5-7 ct or "
        "+10.8 ct, or declare the limits in size_classes"
    ),
    "quarters_or_quality": (
        "{sizes} could be weights in quarters of a carat ({limits}) or qualities; write grainers as 1-2 gr, head a "
        "column of qualities quality, or say which is meant"
    ),
    "size_is_date": (
        "the spreadsheet made a date of the size class; format the column as text, and write the class again"
    ),
    "shortened_id": "the spreadsheet shortened this number; format the column as text, and write it whole",
    "ids_alike": "the parcel id is that of {other} but for zeros in front or capitals; write one parcel in one way",
    "unknown_class_often": (
        "not a known {attribute}, in {count} rows; nearest known: {nearest}; give a word of your own its "
        "class in a table words (attribute, word, class), or declare it in the reference package"
    ),
    "unknown_zone": "not a known zone or country; nearest known zones: {nearest}",
    "unknown_sieve_set": "not a known sieve set; known are {known}; declare another one in size_classes",
    # parcels
    "duplicate_parcel": "the parcel is given twice, first in row {first}",
    "unknown_parcel": "the parcel is not in the table of parcels",
    "two_inputs": "a file and pasted rows are both given; give one of the two",
    "no_stones": "the parcel has no stones",
    "stones_and_counts": "the parcel has stones ({stones}) and counts ({counts}); give one of the two, or say which",
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

ANSWERS: Final[Mapping[str, str]] = {
    "blanks=as_above": "a blank goes on from above",
    "cancelled=keep": "the row is of the parcel all the same",
    "column=": "{name} holds classes of {answer}",
    "column=carats": "{name} holds carats",
    "column=ignore": "{name} is not to be read",
    "column=zone_id": "{name} holds the declared zones",
    "column=n_stones": "{name} holds numbers of stones",
    "goods=counts": "the sorting sheet is to be read",
    "goods=stones": "the stone list is to be read",
    "lots=one": "the lots are parts of one parcel",
    "lots=parcels": "each lot is a parcel",
    "percent=ignore": "the percentages are not to be read",
    "quarters=grains": "they are sizes, in quarters of a carat",
    "quarters=quality": "they are qualities, and say nothing of the size",
    "rows=stones": "each row is one stone",
    "shares=numbers": "they are numbers, not shares",
    "sheets=one": "the sheets are parts of one parcel",
    "sheets=parcels": "each sheet is a parcel",
    "tables=one": "the tables are parts of one parcel",
    "total=keep": "the row is a stone",
    "total=leave_out": "the row is a total, and is to be left out",
    "valuation=parts": "the columns are parts of one parcel, and their stones add up",
    "valuation=": "the valuation of {answer}",
    "weights=carats": "the weights are carats",
    "word=": "{name} means {answer}",
}
"""English texts of the answers that questions have: of ``column:Grade=ignore`` by ``column=ignore``."""


def text_of_answer(question: str, answer: str) -> str:
    """Return the English text of an answer, to be translated and filled with the name asked about and the answer."""
    kind = question.partition(":")[0] if ":" in question else question
    open_ended = "word=" if ":" in question and kind != "column" else f"{kind}="
    return ANSWERS.get(f"{kind}={answer}") or ANSWERS.get(open_ended) or f"{question}={answer}"


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that a value breaks, before it is known where the value stands."""

    code: str
    values: Mapping[str, object] = field(default_factory=dict)

    @property
    def reason(self) -> str:
        """What is wrong, in English."""
        return text_of_rule(self.code, self.values).format(**self.values)


def text_of_rule(code: str, values: Mapping[str, object]) -> str:
    """Return the English text of a rule, to be translated and filled with values."""
    return RULES[str(values.get("rule", code))]


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
        reason=_told(broken.reason, 600),
        values={name: _told(found, 200) if isinstance(found, str) else found for name, found in broken.values.items()},
    )


def _told(text: str, length: int) -> str:
    text = text.encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= length else text[: length - 1] + "…"
