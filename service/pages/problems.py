"""Problems, refusals and how a sheet was read, in the language of whoever sent it; all routes and codes of problems."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from functools import cached_property
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from kpfootprint.errors import Problem
from kpfootprint.ingest import NOTES, text_of_answer, text_of_rule
from kpfootprint.parcel import Parcel
from kpfootprint.planning.question import RULES as PLANNING_RULES
from kpfootprint.report.locale import words
from kpfootprint.report.sentences import label
from kpfootprint.retold import again, retold, said_of
from kpfootprint.scheme import AttributeClass, ClassSet, Scheme
from service.door.admission import SAFE
from service.door.endpoint import Endpoint, Visit, visit_of
from service.errors import KINDS, MEDIA_TYPE, Refused
from service.pages.render import link_to, page, translations

MEASURED = frozenset({"expected", "found", "limit", "lower", "mean", "middle", "sum", "tolerance", "upper"})
"""Values of problems that may be numbers of ours; all others are as the input writes them."""
SAID = frozenset({"detail", "expected", "found"})
"""Values that may be words of ours."""
NUMBER = re.compile(r"-?\d+(,\d{3})*(\.\d+)?")
LIMITS = re.compile(r"(?<=: )(≥ )?[\d.]+(–[\d.]+)? ct(?=; |$)")
"""The limits of a size class, behind its own name, in a note of size classes."""


class Teller:
    """Tells in a language; attributes and classes have the names that the scheme gives them there."""

    def __init__(self, lang: str, scheme: Scheme | None = None) -> None:
        self._lang, self._scheme, self._catalogue = lang, scheme, translations(lang)

    @cached_property
    def classes(self) -> dict[str, tuple[str, list[tuple[str, str]]]]:
        """Each attribute's name, with the classes and sets that a word may be given, and the names of those."""
        if self._scheme is None:
            return {}
        lang, size = self._lang, self._scheme.size
        found = {size.name: (size.labels.get(lang, size.name), [(name, name) for name in size.sieve_set.classes])}
        for item in self._scheme.categorical:
            parts: list[AttributeClass | ClassSet] = [*item.classes, *item.sets]
            options = [(part.name, part.labels.get(lang, part.name)) for part in parts]
            found[item.name] = (item.labels.get(lang, item.name), options)
        return found

    def told(self, problem: Problem) -> str:
        """Return what is wrong: the text of the rule, filled with the problem's values.

        What was told in words of its own is told again where the catalogue has them, and otherwise stays as it is.
        """
        planning = PLANNING_RULES.get(str(problem.values.get("rule")))
        values = dict(problem.values)
        more = values.pop("more", "")
        try:
            rule = planning or text_of_rule(problem.code, values)
            if not values and problem.reason != rule + more:
                return self._retold(problem.reason)
            return self._catalogue.gettext(rule).format(**self._numbered(self._named(values))) + self._retold(more)
        except (KeyError, IndexError):
            return self._retold(problem.reason)

    def refused(self, refusal: Refused) -> str:
        """Return why a request was refused."""
        values = {name: self._said(value) for name, value in refusal.said.values.items()}
        return self._catalogue.gettext(refusal.said.text).format(**values)

    def _said(self, value: object) -> str:
        """Return a value of a refusal: a number of ours, a text of ours, or what somebody wrote."""
        if isinstance(value, int):
            return words(self._lang).count(value)
        return self._retold(value)

    def _retold(self, said: object) -> str:
        return retold(said, self._lang, self._catalogue)

    def _named(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the values of a problem with an attribute, and lists of its classes, under their names."""
        title, named = self.classes.get(str(values.get("attribute")), ("", []))
        if not title:
            return values
        names = dict(named)
        lists = {key: str(values[key]).split(", ") for key in ("nearest", "classes", "sets") if key in values}
        shown = {key: ", ".join(names.get(name, name) for name in parts) for key, parts in lists.items()}
        return {**values, **shown, "attribute": title}

    def _numbered(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the values of a problem with its numbers, and what it says of the input, as the language does."""
        told = {key: said_of(again(value)) for key, value in values.items() if key in MEASURED | SAID}
        shown = {key: self._number(text) if NUMBER.fullmatch(text) else text for key, text in told.items()}
        return {**values, **{key: self._retold(text) if key in SAID else text for key, text in shown.items()}}

    def _number(self, text: str) -> str:
        return text.translate({44: words(self._lang).group, 46: words(self._lang).decimal})

    def worded(self, choice: str) -> str:
        """Return an answer to a question, ``column:Grade=ignore``, in words."""
        question, _, answer = choice.rpartition("=")
        kind, _, name = question.partition(":")
        attribute = "size" if answer == "size_class" else answer if kind == "column" else kind
        title, named = self.classes.get(attribute, (answer, []))
        shown = title if kind == "column" else dict(named).get(answer, answer)
        return self._catalogue.gettext(text_of_answer(question, answer)).format(name=name, answer=shown)

    def noted(self, note: Mapping[str, Any]) -> str:
        """Return what a receipt tells of a row or a sheet."""
        values = note["values"]
        if note["code"] == "size_limits":
            values = {**values, "classes": LIMITS.sub(lambda found: self._number(found[0]), values["classes"])}
        return self._catalogue.gettext(NOTES[note["code"]]).format(**values)

    def declared(self, parcel: Parcel, names: Mapping[str, str]) -> Iterator[str]:
        """Yield what a parcel was read to be declared as, each with its carats or percent; zones by `names`."""
        told_in = words(self._lang)
        zones = [(names.get(item.zone_id, item.zone_id), item.carats, item.percent) for item in parcel.declarations]
        origins = [(told_in.country(item.country), item.carats, item.percent) for item in parcel.countries]
        for name, carats, percent in (*zones, *origins):
            amount = "" if carats is None else f" {told_in.trimmed(carats, 3)} ct"
            share = "" if percent is None else " " + told_in.percent.format(told_in.trimmed(percent, 3))
            yield f"{name}{amount}{share}"

    def conditions(self, parcel: Parcel) -> Iterator[tuple[str, str]]:
        """Yield the conditions that a parcel was read to state, by the names of the language."""
        told_in = words(self._lang)
        for name, value in asdict(parcel.conditions).items():
            if value is not None:
                shown = told_in.trimmed(value, 3) if isinstance(value, float) else label(value, told_in)
                yield label(name, told_in), shown

    def counted(self, read_as: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, int]]]]:
        """Return the classes of a receipt with the stones of each."""
        named = [(*self.classes[name], counts) for name, counts in read_as["classes"].items() if counts]
        return [(title, [(dict(names).get(c, c), n) for c, n in counts.items()]) for title, names, counts in named]


def refusal_response(request: Request, refused: Refused) -> Response:
    """Return the answer that tells a refusal; a browser that is not signed in is sent to where it can be."""
    path = request.url.path
    wants_page = "text/html" in request.headers.get("accept", "")
    if not wants_page or (path.startswith("/v1/") and not path.endswith(".html")):
        return problem_response(request, refused)
    if refused.code == "unauthenticated" and request.method in SAFE:
        target = path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(link_to(visit_of(request), "/sign-in", next=target), status_code=303)
    visit = visit_of(request)
    teller = Teller(visit.lang)
    shown = {"refused": refused, "detail": teller.refused(refused), "told": teller.told}
    answer = page(visit, "error.html", status=refused.status, request_id=visit.request_id, **shown)
    answer.headers.update(refused.headers)
    return answer


def problem_response(request: Request, refused: Refused) -> Response:
    """Return the problem details of a refusal."""
    instance = quote(request.scope.get("raw_path") or request.url.path, safe="/:@!$&'()*+,;=~%")
    document = refused.document(instance=instance, request_id=visit_of(request).request_id)
    return JSONResponse(document, refused.status, refused.headers, MEDIA_TYPE)


@Endpoint("GET", "/docs", "viewer", page=True)
def show_routes(visit: Visit) -> Response:
    """Show every route for programs, and every code of a problem."""
    routes = [item for item in visit.endpoints if not item.page]
    return page(visit, "docs.html", routes=routes, kinds=KINDS, base=str(visit.request.base_url).rstrip("/"))
