"""A report as data: one JSON document that every rendering is made from."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kpfootprint.comparison.results import standing
from kpfootprint.errors import ReportError
from kpfootprint.strict_json import NotJson, read_json

SCHEMA_VERSION = "1.1"
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
KNOWN_SCHEMA_VERSIONS = ("1.0", "1.1")
"""Versions that can be read; a version once written stays in this list for good."""


@dataclass(frozen=True, slots=True)
class Report:
    """A report. It holds the canonical texts of its members, so nothing inside can change.

    Parameters
    ----------
    members : mapping of str to str
        The canonical JSON of each member: one line, keys sorted, no blanks, characters as they are.
    report_id : str
        ``sha256:`` and the hash of the content without `created_at` and the id itself.

    Examples
    --------
    >>> from pathlib import Path
    >>> import kpfootprint
    >>> report = kpfootprint.read_report(Path("tests/golden/examples/true.json").read_bytes())
    >>> report.report_id == report.content["report_id"], report.content["conclusion"]
    (True, 'consistent')
    """

    members: Mapping[str, str] = field(hash=False)
    report_id: str

    @property
    def content(self) -> dict[str, Any]:
        """The document, parsed anew at each call: keep it in a variable where several members are wanted."""
        return self.part(*sorted(self.members))

    def part(self, *names: str) -> dict[str, Any]:
        """Return some members of the document, without the time that parsing the others takes."""
        return {name: json.loads(self.members[name]) for name in names}

    def to_json(self) -> str:
        """Return the canonical JSON text."""
        return _joined(self.members)


def canonical(document: object) -> str:
    """Return the canonical JSON text of a document.

    >>> canonical({"b": 1.5, "a": "é"})
    '{"a":"é","b":1.5}'
    """
    return _ENCODER.encode(document)


def seal(content: Mapping[str, Any], texts: Mapping[str, str] | None = None) -> Report:
    """Return the report of a content, with its id; `texts` are canonical texts of members already at hand."""
    members = {name: canonical(value) for name, value in content.items()} | dict(texts or {})
    report_id = _id_of(members)
    members["report_id"] = canonical(report_id)
    return Report(members, report_id)


def short_code(report_id: str) -> str:
    """Return the first 64 bits of a report's id in groups, as they are printed on paper and typed in from it.

    >>> short_code("sha256:2713a82eb04c2efd919cff872e2b190e")
    '2713-A82E-B04C-2EFD'
    """
    digits = report_id.removeprefix("sha256:")[:16].upper()
    return "-".join(digits[start : start + 4] for start in range(0, len(digits), 4))


def origins_of(content: Mapping[str, Any]) -> list[str]:
    """Return the zones and countries that the paper names, where one of them is a country; none otherwise."""
    found = content["verification"]
    return [] if found is None else list(found["h1"]["values"].get("origins", ()))


def is_code_of(code: str, report_id: str) -> bool:
    """Return whether a code, however it was typed, is that of a report; the whole id is one too.

    >>> is_code_of("2713 a82e b04c 2efd", "sha256:2713a82eb04c2efd919cff872e2b190e")
    True
    """
    begins = id_begins(code)
    return begins is not None and report_id.startswith(begins)


def id_begins(code: str) -> str | None:
    """Return how the id of a report begins that has a code, however it was typed; None where it is no code.

    >>> id_begins("2713 a82e b04c 2efd"), id_begins("2713")
    ('sha256:2713a82eb04c2efd', None)
    """
    typed = re.sub(r"[^0-9a-f]", "", code.strip().lower().removeprefix("sha256:"))
    return f"sha256:{typed}" if len(typed) in (16, 64) else None


def declared_status(statuses: Sequence[str | None]) -> str | None:
    """Return the status of a declaration from that of each declared zone; None where nothing was declared.

    >>> declared_status(["compliant", "suspended"]), declared_status(["suspended"]), declared_status([])
    ('mixed', 'not_compliant', None)
    """
    if not statuses:
        return None
    kinds = {standing(status) for status in statuses}
    if len(kinds) == 1:
        return kinds.pop()
    return "mixed" if "not_compliant" in kinds else "unknown"


def in_full(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a content of any known version with every member of the latest, for renderers: what it lacks is null."""
    parcel = content["parcel"]
    status = {
        "day": parcel["status_on"],
        "declared": declared_status([zone["status_on_export_date"] for zone in parcel["declared"]]),
    }
    full = {
        "status": status,
        "goods": None,
        **content,
        "parcel": {"n_stones_graded": None, "read_as": None, **parcel},
    }
    for member, lacking in (
        ("verification", {"by_variance": None}),
        ("error_rates", {"declarants_who_try": None}),
        ("mixture", {"readings": []}),
    ):
        if content[member] is not None:
            full[member] = {**lacking, **content[member]}
    return full


def _id_of(members: Mapping[str, str]) -> str:
    kept = {name: text for name, text in members.items() if name not in ("created_at", "report_id")}
    return "sha256:" + hashlib.sha256(_joined(kept).encode()).hexdigest()


def _joined(members: Mapping[str, str]) -> str:
    """Return the canonical text of a document from those of its members."""
    return "{" + ",".join(f"{canonical(name)}:{members[name]}" for name in sorted(members)) + "}"


def read_report(text: str | bytes) -> Report:
    """Read a report back from its JSON, whichever version wrote it.

    Raises
    ------
    ReportError
        Where the text is no report, was written by a later version, or was altered since.

    Examples
    --------
    >>> from pathlib import Path
    >>> read_report(Path("tests/golden/examples/true.json").read_bytes()).content["parcel"]["parcel_id"]
    'true_berberati'
    """
    try:
        return report_of(read_json(text))
    except NotJson as error:
        raise ReportError("this is not JSON: {error}", error=error) from None


def report_of(content: object) -> Report:
    """Return the report that a JSON document is; see `read_report`."""
    if not isinstance(content, dict) or "schema_version" not in content or "report_id" not in content:
        raise ReportError("this JSON is not a report: schema_version and report_id are missing")
    version, report_id = (_short(content[name]) for name in ("schema_version", "report_id"))
    if content["schema_version"] not in KNOWN_SCHEMA_VERSIONS:
        known = ", ".join(KNOWN_SCHEMA_VERSIONS)
        raise ReportError(
            "schema_version {version} is not known here ({known}); a later version wrote it",
            version=version,
            known=known,
        )
    try:
        made = seal(content)
    except RecursionError:
        raise ReportError("the content is nested too deep to be a report") from None
    if made.report_id != content["report_id"]:
        raise ReportError("the content is not that of report_id {report_id}: it was altered", report_id=report_id)
    return made


def _short(value: object) -> str:
    return repr(value)[:90] if isinstance(value, str) else type(value).__name__
