"""The start page: stones and a declaration in, or an example, and a report or a list of problems out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Any

from babel import Locale
from starlette.datastructures import FormData
from starlette.responses import Response

from kpfootprint.errors import IngestError, Problem
from kpfootprint.ingest import Choices, Reading, Upload, read
from kpfootprint.ingest.problems import Broken, problem
from kpfootprint.ingest.reading import two_inputs
from kpfootprint.parcel import Parcel
from kpfootprint.plain import day_in
from kpfootprint.reference import ZoneTable
from kpfootprint.release import Release
from kpfootprint.scheme import Scheme
from service import Wordings
from service.clock import today
from service.door.bodies import file_of, text_of, texts_of
from service.door.endpoint import FORM, Endpoint, Visit
from service.errors import existing
from service.pages.problems import Teller
from service.pages.render import moved_to, page
from service.pages.sheet import MAX_HELD, Asked, Sheet, carried_in, choices_in, words_table
from service.pages.submissions import checked
from service.register.comparisons import Kept
from service.routes.comparisons import CONDITIONS, TEXTS, given_parcel
from service.work.reading import parcel_of_file, pasted, upload_of
from service.work.receive import compare

HERE = Path(__file__).parent
RINSED = {"cleaning_state": "acid_rinsed", "selection": "run_of_mine"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A stones table of ``examples/`` and what is said of its parcel; title and text are English messages."""

    name: str
    table: str
    title: str
    about: str
    conditions: Mapping[str, Any]
    declared: tuple[str, ...] = ("berberati",)

    @property
    def file(self) -> str:
        """The name of its table."""
        return f"{self.table}.csv"

    @property
    def parcel(self) -> dict[str, Any]:
        """What is said of the parcel, in the shape of the JSON parcel."""
        said = {"parcel_id": self.table, "exported_on": "2024-03-11", "conditions": self.conditions}
        return said | ({"declarations": [{"zone_id": zone} for zone in self.declared]} if self.declared else {})

    def path(self) -> Path:
        """Return where its table is: beside the packages in the source tree, inside this one in a wheel."""
        tree, wheel = HERE.parents[1] / "examples" / self.file, HERE / "_examples" / self.file
        return wheel if wheel.exists() else tree


EXAMPLES = (
    Example(
        name="true",
        table="true_berberati",
        title="A parcel as declared",
        about="600 stones of Berbérati, declared as Berbérati.",
        conditions={**RINSED, "sorter": "S7", "bottom_screen_mm": 1.98},
    ),
    Example(
        name="false",
        table="false_berberati",
        title="A parcel from elsewhere",
        about="600 stones of Bria, declared as Berbérati.",
        conditions={**RINSED, "sorter": "S5", "bottom_screen_mm": 1.93},
    ),
    Example(
        name="mixed",
        table="mixed_berberati_bria",
        title="A parcel with other goods in it",
        about="540 stones of Berbérati and 360 of Bria, declared as Berbérati.",
        conditions={**RINSED, "bottom_screen_mm": 1.93},
    ),
    Example(
        name="undeclared",
        table="no_declaration",
        title="A parcel without papers",
        about="400 stones and no declaration: what do they resemble?",
        conditions={"cleaning_state": "unwashed"},
        declared=(),
    ),
)


def available(release: Release) -> tuple[Example, ...]:
    """Return the examples whose tables are here and that the release can compare: by their attributes and zones."""
    if not {"colour", "morphology"} <= set(release.scheme.attribute_names):
        return ()
    known = set(release.zone_table.names)
    return tuple(item for item in EXAMPLES if item.path().is_file() and known.issuperset(item.declared))


ROWS = 10
SEVERAL = "several_parcels"
"""Code of the problem of a file that holds a submission: it is offered to be received as one."""

UNREADABLE = "unknown_file_kind"
"""Code of the problem of a file of no kind that is read: the page need not hold it."""

STATUS_NOTES: Wordings = {"compliant": "", "suspended": "suspended", "not_covered": ""}


def parcel_in_form(form: FormData) -> dict[str, Any]:
    """Return the filled fields in the shape of the JSON parcel, without stones."""
    declared = [f"{zone}={amount}" if amount else zone for zone, amount in _rows(form) if zone or amount]
    return given_parcel({name: text_of(form, name) for name in (*TEXTS, *CONDITIONS)}, declared)


def _rows(form: FormData) -> list[tuple[str, str]]:
    """Return the rows of the declaration, zone and carats as they were chosen and written, with blank ones to fill."""
    zones, carats = (texts_of(form, name) for name in ("zone", "carats"))
    rows = [(zone.strip(), amount.strip()) for zone, amount in zip_longest(zones, carats, fillvalue="")]
    return [*rows, *[("", "")] * (ROWS - len(rows))]


@Endpoint("GET", "/", "viewer", page=True)
def show(visit: Visit) -> Response:
    """Show the empty form."""
    return _form(visit, ())


@Endpoint("POST", "/", "monitor", body=FORM, heavy=True, page=True)
def submit(visit: Visit) -> Response:
    """Compare what the form holds and go to the report; problems are shown above the form as it was filled."""
    form, typed, step = visit.form, text_of(visit.form, "pasted"), text_of(visit.form, "step")
    file, held = file_of(form), carried_in(form, MAX_HELD)
    if file is not None and typed:
        return _form(visit, (two_inputs(),))
    if file is not None:
        upload = upload_of(file.filename or "", file.file.read())
        held = upload if len(upload.data) <= MAX_HELD else None
    elif typed:
        upload, held = pasted(typed), None
    elif held is not None:
        upload = held
    elif step == "status":
        upload = pasted("")
    else:
        return _form(visit, (problem(Broken("no_stones"), table="stones"),))
    try:
        choices = choices_in(form)
    except IngestError as error:
        return _form(visit, error.problems, Sheet(held=held, asked=Asked.of((), {})))
    if step == "status":
        return _form(visit, (), Sheet(held=held, asked=Asked.of((), choices)))
    reading = partial(_parcel_or_reading, upload=upload, given=parcel_in_form(form), choices=choices, step=step)
    found = compare(visit.work, reading, actor=visit.who.actor, large=visit.large)
    if isinstance(found, Kept):
        return moved_to(visit, f"/comparisons/{found.id}")
    codes = {problem.code for problem in found.problems}
    if file is not None and SEVERAL in codes:
        return checked(visit, upload, note="", choices=choices)
    sheet = Sheet.of(upload, found, None if UNREADABLE in codes else held, choices)
    return _form(visit, found.problems, sheet)


def _parcel_or_reading(
    release: Release, *, upload: Upload, given: dict[str, Any], choices: Choices, step: str
) -> Parcel | Reading:
    """Read an upload: its parcel, or how it was read where that has a problem or is shown before it is compared."""
    found = read(upload, release.scheme, release.zone_table, given=given, choices=choices, one=True)
    if found.problems or step == "read" or (step != "compare" and not found.parcels[0].read_plainly):
        return found
    return found.parcels[0]


@Endpoint("POST", "/words", "monitor", body=FORM, page=True)
def words(visit: Visit) -> Response:
    """Give the classes that were chosen for words as a table, to be given beside the next sheet."""
    table = words_table(choices_in(visit.form), visit.work.release().scheme)
    headers = {"Content-Disposition": 'attachment; filename="words.csv"'}
    return Response(table, media_type="text/csv; charset=utf-8", headers=headers)


@Endpoint("POST", "/examples/{name}", "monitor", body=FORM, heavy=True, page=True)
def example(visit: Visit) -> Response:
    """Compare an example parcel and go to its report."""
    named = (item for item in available(visit.work.release()) if item.name == visit.path["name"])
    chosen = existing(next(named, None), "There is no example with this name.")
    upload = Upload(chosen.file, chosen.path().read_bytes())
    reading = partial(parcel_of_file, upload=upload, parcel=chosen.parcel, choices={})
    kept = compare(visit.work, reading, actor=visit.who.actor)
    return moved_to(visit, f"/comparisons/{kept.id}")


def _form(visit: Visit, problems: tuple[Problem, ...], sheet: Sheet | None = None) -> Response:
    release = visit.work.release()
    table, day = release.zone_table, _day_of(visit.form)
    return page(
        visit,
        "start.html",
        status=422 if problems else 200,
        declared=_rows(visit.form),
        problems=sorted(problems, key=lambda item: (item.table, item.row or 0)),
        sheet=sheet,
        teller=Teller(visit.lang, release.scheme),
        zones_by_country=_by_country(table, visit.lang, day),
        sieve_sets=[(item.name, item.name) for item in release.scheme.sieve_sets],
        day=day.isoformat(),
        examples=available(release),
        sample=_sample(release.scheme),
        release=release.name,
        released=release.released,
    )


def _sample(scheme: Scheme) -> str:
    """Return two rows of a stone list, as the classes of a scheme have them, below their header."""
    rows = [["weight_ct", "0.42", "0.17"]]
    rows += [[item.column, *[one.name for one in (item.classes[1], item.classes[0])]] for item in scheme.categorical]
    return "\n".join(";".join(line) for line in zip(*rows, strict=True))


def _day_of(form: FormData) -> date:
    """Return the day of export that the form holds; today where it holds none that can be read."""
    try:
        return day_in(text_of(form, "exported_on"))
    except ValueError:
        return today()


def _by_country(table: ZoneTable, lang: str, day: date) -> list[tuple[str, str, list[dict[str, str]]]]:
    """Return the zones by country (code and name) as options, with a note where one is not compliant on the day."""
    groups: dict[str, list[dict[str, str]]] = {}
    for zone in table.zones:
        note = STATUS_NOTES.get(table.status_on(zone.zone_id, day), "")
        groups.setdefault(zone.country, []).append({"zone_id": zone.zone_id, "name": zone.name, "note": note})
    names = Locale.parse(lang).territories
    return [(country, names.get(country, country), zones) for country, zones in groups.items()]
