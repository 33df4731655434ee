"""Reading submissions: files and JSON documents become parcels, or a list of everything that is wrong with them.

A parcel's way: `reading` opens what was brought (`archive`), as `csvfile` or `workbook` (`oldbook`) into `tables` of
`cells` below their `heads`. `recognise` says what each table is, `layout` how a sheet is laid out: what its columns
mean (`headers`, `meanings`, `units`), what other tables stand `around` it, what `repeats` side by side, which class
stands once for `groups` of rows or above the columns of `crosstabs`, which rows are `left_out` and which are `lots`,
what has to be `asked`. Sizes and classes are named by
`labels` and `words`, or were `chosen`. `records` reads the tables of the documentation, which a JSON `document` gives
as well, `breakdowns` those of sorting sheets; `assemble` makes parcels of them. What is wrong is one of the `problems`,
`gathered` by parcel.
"""

from kpfootprint.ingest.archive import Limits
from kpfootprint.ingest.assemble import ParcelFailure, Reading
from kpfootprint.ingest.cells import declaration_given, number_given
from kpfootprint.ingest.document import ingest_json, parcel_to_json
from kpfootprint.ingest.meanings import Choices
from kpfootprint.ingest.problems import ANSWERS, NOTES, RULES, text_of_answer, text_of_rule
from kpfootprint.ingest.reading import Upload, ingest_file, ingest_submission, read, words_of

__all__ = [
    "ANSWERS",
    "NOTES",
    "RULES",
    "Choices",
    "Limits",
    "ParcelFailure",
    "Reading",
    "Upload",
    "declaration_given",
    "ingest_file",
    "ingest_json",
    "ingest_submission",
    "number_given",
    "parcel_to_json",
    "read",
    "text_of_answer",
    "text_of_rule",
    "words_of",
]
