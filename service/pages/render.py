"""Templates, in the language of whoever looks."""

from __future__ import annotations

import gettext
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, pass_context
from jinja2.runtime import Context
from starlette.responses import HTMLResponse, RedirectResponse, Response

from kpfootprint import __version__
from kpfootprint.report.html import escaping
from kpfootprint.report.locale import words
from kpfootprint.retold import ERRORS, catalogue
from kpfootprint.visible import visible
from service import Wordings
from service.door.bodies import text_of
from service.door.endpoint import Visit, chosen_language
from service.errors import Refused
from service.register import entries
from service.register.database import RegisterUnavailable, reading
from service.register.entries import ChainEnd
from service.register.people import names_of_actors

CONCLUSIONS: Wordings = {
    "consistent": "consistent",
    "inconclusive": "inconclusive",
    "query": "query",
    "not_comparable": "not comparable",
}
"""English messages for the conclusions of reports."""

ITEMS = 25
"""How many of a list a page shows at once."""

PAGES = Path(__file__).parent / "locale" / "fr" / "LC_MESSAGES" / "pages.po"


@cache
def translations(lang: str) -> gettext.NullTranslations:
    """Return the catalogue of a language; English is the language of the templates themselves."""
    found = catalogue(PAGES, lang)
    found.add_fallback(catalogue(ERRORS, lang))
    return found


@cache
def environment(lang: str) -> Environment:
    """Return the templates of a language, each compiled once."""
    made = escaping(PackageLoader("service.pages"))
    made.add_extension("jinja2.ext.i18n")
    made.install_gettext_translations(translations(lang), newstyle=True)  # type: ignore[attr-defined]
    made.filters |= {"zone_name": _zone_name, "person": _person}
    return made


@pass_context
def _zone_name(context: Context, zone_id: str, unknown: str | None = None) -> str:
    """Return the name of a zone; of one that the release in force does not have what is said instead, or its id."""
    names: Mapping[str, str] = context["zone_names"]()
    return names.get(zone_id, unknown or zone_id)


@pass_context
def _person(context: Context, actor: str) -> str:
    """Return the name behind a pseudonym, or the pseudonym where there is none."""
    names: Mapping[str, str] = context["people"]()
    return names.get(actor, actor)


def link_to(visit: Visit, path: str, **query: object) -> str:
    """Return the address of a page, in the language that this one's address asks for."""
    explicit = chosen_language(visit.request)
    parameters = query | ({"lang": explicit} if explicit else {})
    return path + (f"?{urlencode(parameters, doseq=True)}" if parameters else "")


def rendered(visit: Visit, template: str, **values: Any) -> str:
    """Return a page; it knows who looks, in which language, and how to link to others in it.

    Whatever stands in it that nobody could see, or that turns the direction of what follows, is written out.
    """
    lang, work = visit.lang, visit.work
    return visible(
        environment(lang)
        .get_template(template)
        .render(
            lang=lang,
            words=words(lang),
            link=partial(link_to, visit),
            in_other_language=_in_other_language(visit, "fr" if lang == "en" else "en"),
            principal=visit.principal,
            head=_head(visit),
            path=visit.request.url.path,
            version=__version__,
            conclusions=CONCLUSIONS,
            alert=visit.alert,
            filled=partial(text_of, visit.form),
            zone_names=cache(lambda: work.release().zone_table.names),
            people=cache(lambda: names_of_actors(work.engine)),
            **values,
        )
    )


def _head(visit: Visit) -> ChainEnd | None:
    """Return where the register ends, for whoever may read it and keeps it on paper; a page needs none to be shown."""
    if visit.principal is None:
        return None
    try:
        with reading(visit.work.engine) as connection:
            return entries.head(connection)
    except (RegisterUnavailable, Refused):
        return None


def page(visit: Visit, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a page as an answer; one that says what a form lacks is 422."""
    status = 422 if visit.alert else status
    return HTMLResponse(rendered(visit, template, **values), status_code=status, headers=visit.in_its_language)


def again(visit: Visit, alert: str, show: Callable[[Visit], Response]) -> Response:
    """Show the page of a form once more, as it was filled, with what it lacks."""
    visit.alert = alert
    return show(visit)


def moved_to(visit: Visit, path: str) -> RedirectResponse:
    """Send the browser on to a page, in the language of this one."""
    return RedirectResponse(link_to(visit, path), status_code=303)


def framed(visit: Visit, render: Callable[..., str], *, up: str = "/comparisons", **values: Any) -> HTMLResponse:
    """Return a document of the library as a page of this site: `render` is given the bar to put above it."""
    nothing: dict[str, Any] = dict.fromkeys(("id", "opinions", "outcomes", "exercise", "pdf"))
    above = rendered(visit, "bar.html", up=up, **(nothing | values))
    return HTMLResponse(render(above=above, style=rendered(visit, "bar.css")), headers=visit.in_its_language)


def _in_other_language(visit: Visit, other: str) -> str:
    """Return this page's address in the other language, without the token of a one-time link."""
    kept = [(name, value) for name, value in visit.request.query_params.multi_items() if name not in {"lang", "token"}]
    path = visit.request.url.path if visit.request.method in {"GET", "HEAD"} else "/"
    return f"{path}?{urlencode([*kept, ('lang', other)])}"
