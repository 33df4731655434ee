"""Due dates as a calendar feed (RFC 5545), in the language of whoever subscribed to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from starlette.responses import Response

from service import Wording
from service.door.endpoint import Endpoint, Visit
from service.door.query import text
from service.errors import Refused
from service.pages.render import translations
from service.register import submissions
from service.register.people import is_feed_key
from service.register.submissions import Submission, Wanted
from service.routes.comparisons import LANG

NAME: Wording = "kpfootprint: submissions due"
DUE = ("Due: {who}, {count} parcel", "Due: {who}, {count} parcels")
OVERDUE = ("Overdue: {who}, {count} parcel", "Overdue: {who}, {count} parcels")
LINE = 75
MOST = 1000


@Endpoint(
    "GET",
    "/v1/submissions.ics",
    None,
    query=(LANG, text("key", "Key of the feed, where no other is sent.")),
    answer={"type": "string"},
    media_type="text/calendar",
)
def calendar(visit: Visit) -> Response:
    """Read the due dates as a calendar."""
    key = visit.asked["key"]
    if visit.principal is None and not (key and is_feed_key(visit.work.engine, key)):
        raise Refused("unauthenticated", "The address needs ?key=, as POST /v1/feeds gives it.")
    found, _, moment = submissions.page_of(visit.work.engine, wanted=Wanted(undecided=True), before=None, limit=MOST)
    base = str(visit.request.base_url).rstrip("/")
    headers = {"Content-Type": "text/calendar; charset=utf-8"} | visit.in_its_language
    return Response(calendar_of(found, moment, base, visit.lang), headers=headers)


def calendar_of(found: Sequence[Submission], moment: datetime, base: str, lang: str) -> str:
    """Return the due dates of submissions as a calendar."""
    catalogue = translations(lang)
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:-//kpfootprint//submissions//{lang.upper()}"]
    lines += ["CALSCALE:GREGORIAN", f"X-WR-CALNAME:{catalogue.gettext(NAME)}"]
    for item in found:
        said = catalogue.ngettext(*(OVERDUE if item.due_at < moment else DUE), item.n_parcels)
        told = said.format(who=item.exporter or item.file_name, count=item.n_parcels)
        lines += [
            "BEGIN:VEVENT",
            f"UID:{item.id}@kpfootprint",
            f"DTSTAMP:{_stamp(item.received_at)}",
            f"DTSTART:{_stamp(item.due_at)}",
            f"SUMMARY:{_escaped(told)}",
            f"URL:{base}/submissions/{item.id}",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line))


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y%m%dT%H%M%SZ")


def _escaped(text: str) -> str:
    shown = "".join(c if c.isprintable() or c == "\u00a0" else " " for c in text)
    return shown.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")


def _folded(line: str) -> Iterator[str]:
    """Yield a line in parts of at most 75 bytes, the later ones after a blank."""
    part = ""
    for character in line:
        if len((part + character).encode()) > LINE:
            yield part
            part = " "
        part += character
    yield part
