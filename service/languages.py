"""Which language an answer is in: ``?lang=``, then Accept-Language, then English."""

from __future__ import annotations

from starlette.requests import Request

LANGUAGES = ("en", "fr")


def chosen_language(request: Request) -> str | None:
    """Return the language that the address asks for, or None."""
    asked = request.query_params.get("lang", "").lower()
    return asked if asked in LANGUAGES else None


def language_of(request: Request) -> str:
    """Return the language of the answer."""
    return chosen_language(request) or accepted_language(request.headers.get("accept-language", ""))


def accepted_language(header: str) -> str:
    """Return the language we have that an Accept-Language header likes best.

    Examples
    --------
    >>> accepted_language("de, fr-CF;q=0.8, en;q=0.5")
    'fr'
    """
    wishes: list[tuple[float, int, str]] = []
    for position, part in enumerate(header.split(",")):
        name, _, parameters = part.partition(";")
        language = name.strip().lower().partition("-")[0]
        try:
            weight = float(parameters.partition("q=")[2] or 1)
        except ValueError:
            continue
        if weight > 0 and language in LANGUAGES:
            wishes.append((-weight, position, language))
    return min(wishes)[2] if wishes else LANGUAGES[0]
