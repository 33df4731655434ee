"""Reading submissions: files and JSON documents become parcels, or a list of everything that is wrong with them.

A parcel's way: `reading` opens what was brought (`archive`), as `csvfile` or `workbook` (`oldbook`) into `tables` of
`cells`, whose header `heads` finds. `recognise` says what each table is, `layout` how a sheet is laid out: what its
columns mean (`headers`, `meanings`), what is no row of it (`asides`, `sums`), what stands in columns (`unfold`). Sizes
and classes are named by `labels` and `words`. `records` reads the tables of the documentation, which a JSON `document`
gives as well, `breakdowns` those of sorting sheets; `assemble` makes parcels of them. What is wrong breaks one of the
`rules`.
"""

from kpfootprint.ingest.archive import Limits
from kpfootprint.ingest.assemble import NOTES, ParcelFailure, Submission
from kpfootprint.ingest.cells import number_given
from kpfootprint.ingest.document import ingest_json, parcel_to_json
from kpfootprint.ingest.meanings import Choices
from kpfootprint.ingest.reading import Reading, Upload, ingest_file, ingest_submission, read, words_of
from kpfootprint.ingest.rules import ANSWERS, RULES, text_of_answer, text_of_rule

__all__ = [
    "ANSWERS",
    "NOTES",
    "RULES",
    "Choices",
    "Limits",
    "ParcelFailure",
    "Reading",
    "Submission",
    "Upload",
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
