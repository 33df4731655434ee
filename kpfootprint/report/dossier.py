"""A sealed dossier: input, report in every form, release card and hashes in one zip, and its examination anew."""

from __future__ import annotations

import hashlib
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from kpfootprint.bounded import open_plain, open_zip
from kpfootprint.errors import ReportError
from kpfootprint.report.html import render_html
from kpfootprint.report.pdf import render_pdf
from kpfootprint.report.report import Report, canonical, read_report
from kpfootprint.report.text import render_text
from kpfootprint.retold import LANGUAGES, Said, said_of
from kpfootprint.strict_json import NotJson, read_json

INPUT, REPORT, CARD, RELEASE, SUMS = "input.json", "report.json", "CARD.md", "release.json", "SHA256SUMS"
LARGEST_CONTENTS = 10_000
LARGEST = 256 * 2**20
"""Bytes of all members together, unpacked, that are read; a zip may claim to hold anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DossierInput:
    """What a report is made again from.

    Parameters
    ----------
    parcel : mapping
        The parcel in its JSON form.
    release, manifest_sha256 : str
        The release the report was made with, and the hash of its manifest.
    status_on : date
        The day whose zone status counted.
    created_at : datetime
        When the report was made; taken over, so that the reports can be compared whole.
    """

    parcel: Mapping[str, Any]
    release: str
    manifest_sha256: str
    status_on: date
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Remade:
    """What a dossier is made from, made again: the report, the parcel in its JSON form, the release's card."""

    report: Report
    parcel: Mapping[str, Any]
    card: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DossierCheck:
    """What came of making a dossier again: the same or not, and every difference in a sentence.

    `created_at` is what the dossier says; nothing in it can show when it was made, or by whom.
    """

    report_id: str
    created_at: str
    differences: tuple[Said, ...]

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not self.differences


def write_dossier(report: Report, *, parcel: Mapping[str, Any], card: str) -> bytes:
    """Return the sealed dossier of a report as a zip; the same arguments give the same bytes.

    Parameters
    ----------
    parcel : mapping
        The parcel in its JSON form, from which the report can be made again.
    card : str
        The text of the release's ``CARD.md``.
    """
    members = _members(Remade(report=report, parcel=parcel, card=card))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            entry.create_system = 3
            archive.writestr(entry, data)
    return buffer.getvalue()


def verify_dossier(path: Path, remake: Callable[[DossierInput], Remade]) -> DossierCheck:
    """Make a dossier again from its sealed input and compare every member of it, byte for byte.

    Parameters
    ----------
    path : Path
        The zip.
    remake : callable
        Makes report and parcel from the input, with the release at hand: the whole flow, which this room does not
        know.

    Raises
    ------
    ReportError
        Where the file is not a dossier, or its report cannot be read.
    """
    members = _read(path)
    report = read_report(members[REPORT])
    sealed = _input(report.content, members[INPUT])
    made = remake(sealed)
    again = _members(made)
    differences = list(_broken_seals(members))
    for name, data in again.items():
        if members[name] != data and not (name == SUMS and differences):
            differences.append(Said("{name} is not {what}", name=name, what=WHAT.get(name, RENDERED)))
    if made.report != report:
        differences += _differences("", report.content, made.report.content)
    return DossierCheck(
        report_id=report.report_id, created_at=report.content["created_at"], differences=tuple(differences)
    )


WHAT = {
    INPUT: Said("the parcel as it is written when it is read"),
    REPORT: Said("the report made again, byte for byte"),
    CARD: Said("the card of the release at hand"),
    RELEASE: Said("the name and the hash of the release at hand"),
    SUMS: Said("the list of hashes as it is sealed"),
}
RENDERED = Said("what the report made again renders to")


def _members(made: Remade) -> dict[str, bytes]:
    model = made.report.content["model"]
    release = {"release": model["release"], "manifest_sha256": model["manifest_sha256"]}
    members = {
        INPUT: canonical(made.parcel).encode() + b"\n",
        REPORT: made.report.to_json().encode() + b"\n",
        **_renderings(made.report),
        CARD: made.card.encode(),
        RELEASE: canonical(release).encode() + b"\n",
    }
    return {**members, SUMS: _sums(members)}


def _input(content: Mapping[str, Any], parcel: bytes) -> DossierInput:
    try:
        document = read_json(parcel)
    except NotJson as error:
        raise ReportError("{file} is not JSON: {error}", file=INPUT, error=error) from None
    if not isinstance(document, dict):
        raise ReportError("{file} holds no parcel", file=INPUT)
    try:  # the day of the comparison stands in a report only where the export lay beyond it
        future = [item["values"] for item in content["cautions"] if item["code"] == "export_date_in_future"]
        compared_on = future[0]["compared_on"] if future else content["parcel"]["status_on"]
        return DossierInput(
            parcel=document,
            release=str(content["model"]["release"]),
            manifest_sha256=str(content["model"]["manifest_sha256"]),
            status_on=date.fromisoformat(compared_on),
            created_at=datetime.fromisoformat(content["created_at"]),
        )
    except (LookupError, TypeError, ValueError) as error:
        raise ReportError("{file} does not say what it was made from: {error}", file=REPORT, error=error) from None


RENDERINGS: dict[str, Callable[[Report, str], bytes]] = {
    "html": lambda report, lang: render_html(report, lang).encode(),
    "pdf": render_pdf,
    "txt": lambda report, lang: render_text(report, lang).encode(),
}
FORMS = {f"report.{lang}.{form}": (lang, form) for lang in LANGUAGES for form in RENDERINGS}
"""Language and form of the report, by member name."""


def _renderings(report: Report) -> dict[str, bytes]:
    """Return the report in every language and form."""
    return {name: RENDERINGS[form](report, lang) for name, (lang, form) in FORMS.items()}


def _sums(members: Mapping[str, bytes]) -> bytes:
    """Return the text that ``sha256sum --check`` reads."""
    return "".join(
        f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(members.items()) if name != SUMS
    ).encode()


def _read(path: Path) -> dict[str, bytes]:
    try:
        with open_plain(path) as stream, open_zip(stream, LARGEST_CONTENTS) as archive:
            entries = archive.infolist()
            found = [entry.filename for entry in entries]
            wanted = {INPUT, REPORT, CARD, RELEASE, SUMS, *FORMS}
            if set(found) != wanted or len(found) != len(set(found)):
                if missing := sorted(wanted - set(found)):
                    raise ReportError(
                        "{name} is not a dossier: it lacks {names}", name=path.name, names=", ".join(missing)
                    )
                strange = sorted({n for n in found if n not in wanted or found.count(n) > 1})[:20]
                raise ReportError(
                    "{name} is not a dossier: it holds {names} besides", name=path.name, names=", ".join(strange)
                )
            if sum(entry.file_size for entry in entries) > LARGEST:
                raise ReportError("{name} holds more than {most} MB", name=path.name, most=LARGEST // 2**20)
            if any(entry.flag_bits & 1 for entry in entries):
                raise ReportError("{name} is protected by a password; a dossier never is", name=path.name)
            return {entry.filename: archive.read(entry) for entry in entries}
    except (zipfile.BadZipFile, OSError, EOFError, RuntimeError, ValueError, ArithmeticError) as error:
        reason = said_of(error)
    except (zlib.error, lzma.LZMAError) as error:
        reason = Said("a member is damaged: {error}", error=error)
    raise ReportError("{name} cannot be read as a dossier: {reason}", name=path.name, reason=reason)


def _broken_seals(members: Mapping[str, bytes]) -> Iterator[Said]:
    if members[SUMS] == _sums(members):
        return
    lines = [line.partition("  ") for line in members[SUMS].decode(errors="replace").splitlines()]
    stated = {name: sealed for sealed, _, name in lines}
    for name, data in sorted(members.items()):
        if name != SUMS and stated.get(name) != hashlib.sha256(data).hexdigest():
            yield Said("{name} is not the file that was sealed: its hash differs from {sums}", name=name, sums=SUMS)
    if set(stated) != set(members) - {SUMS} or len(lines) != len(stated):
        yield Said("{sums} lists other files than the dossier holds", sums=SUMS)


def _differences(place: str, then: Any, now: Any) -> Iterator[Said]:
    """Yield a sentence for every member that differs, by its place in the report."""
    if isinstance(then, dict) and isinstance(now, dict):
        for name in sorted(set(then) | set(now)):
            yield from _differences(f"{place}.{name}".lstrip("."), then.get(name), now.get(name))
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        for i, (old, new) in enumerate(zip(then, now, strict=True)):
            yield from _differences(f"{place}[{i}]", old, new)
    elif then != now:
        found = {"then": _short(then), "now": _short(now)}
        yield Said("{place}: {then} in the dossier, {now} when made again", place=place, **found)


def _short(value: Any) -> str:
    text = canonical(value)
    return text if len(text) <= 80 else text[:79] + "\u2026"
