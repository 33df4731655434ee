"""Reading submissions: files and JSON documents become parcels, or a list of everything that is wrong with them.

A parcel's way is that of the folders. `reading` opens what was brought. Of `files` come `raw` tables of cells below
their heads. `names` knows what labels and headers say, `columns` what the columns of a sheet mean, and `sheets` how it
is laid out: `recognise` says what each table is, and `layout` calls the rules on what stands around, repeats, groups,
crosses or is left out, and on what has to be asked. `parcels` are made of tables whose columns are known, which a JSON
`document` gives as well. An `Inquiry` goes with an input all the way: its words, the answers, what is asked. What is
wrong is one of the `problems`; how things may be called stands in `words`.
"""

from kpfootprint.ingest.document import ingest_json, parcel_to_json
from kpfootprint.ingest.files.archive import Limits
from kpfootprint.ingest.files.inputs import Upload
from kpfootprint.ingest.names.inquiry import Choices
from kpfootprint.ingest.parcels.assemble import ParcelFailure, Reading
from kpfootprint.ingest.problems import ANSWERS, NOTES, RULES, text_of_answer, text_of_rule
from kpfootprint.ingest.raw.cells import condition_given, declaration_given, number_given
from kpfootprint.ingest.reading import ingest_file, ingest_submission, read, words_of

__all__ = [
    "ANSWERS",
    "NOTES",
    "RULES",
    "Choices",
    "Limits",
    "ParcelFailure",
    "Reading",
    "Upload",
    "condition_given",
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
