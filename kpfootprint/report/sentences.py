"""Every statement in words: a template for each code, filled from the statement's values in any language."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kpfootprint.report import rounding
from kpfootprint.report.locale import Names, Words
from kpfootprint.report.templates_en import PLURALS, TEMPLATES, VOCABULARY
from kpfootprint.report.vocabulary import label

_FRACTIONS = {
    "share",
    "low",
    "high",
    "observed",
    "expected",
    "detection_limit",
    "posterior",
    "unlisted_weight",
    "low_limit",
}
_LOG10 = {"log10_lr", "log10_lr_share", "log10_lr_without", "log10_limit"}
_PROBABILITIES = {"p_value", "p_limit"}


def rounded(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a statement's values as they stand in the JSON: rounded by name, tuples as lists."""
    return {name: _rounded(name, value) for name, value in sorted(values.items())}


def _rounded(name: str, value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_rounded("share" if name == "stone_shares" else name, item) for item in value]
    if not isinstance(value, float):
        return value
    if name in _FRACTIONS:
        return rounding.fraction(value)
    if name in _LOG10:
        return rounding.log10(value)
    return rounding.p_value(value) if name in _PROBABILITIES else rounding.amount(value)


def say(statement: Mapping[str, Any], words: Words, names: Names) -> str:
    """Return a statement in words.

    A template may have variants: ``class_more`` with ``favours`` H2 is said by ``class_more.H2``. A code
    this version has no template for (a later or a much older report) is said by the text it carries.
    """
    code, values = statement["code"], statement["values"]
    shown = _shown(values, words, names)
    limit = "none" if values.get("detection_limit") == 1 else None
    for selector in (values.get("favours"), values.get("bound"), limit):
        if f"{code}.{selector}" in TEMPLATES:
            return words.text(TEMPLATES[f"{code}.{selector}"], **shown)
    if code in PLURALS:
        one, many, counted = PLURALS[code]
        return words.plural(one, many, int(values[counted]), **shown)
    if code in TEMPLATES:
        return words.text(TEMPLATES[code], **shown) if shown else words.text(TEMPLATES[code])
    return str(statement.get("text", code))


def _shown(values: Mapping[str, Any], words: Words, names: Names) -> dict[str, str]:
    shown = {name: _show(name, value, values, words, names) for name, value in values.items()}
    if "zones" in values and "stone_shares" in values:
        shown["blend"] = words.listing(
            [
                f"{names.zone(zone)} ({words.share(share)})"
                for zone, share in zip(values["zones"], values["stone_shares"], strict=True)
            ]
        )
    return shown


def _show(name: str, value: Any, values: Mapping[str, Any], words: Words, names: Names) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return words.listing([_show(name.removesuffix("s"), item, values, words, names) for item in value])
    if value is None:
        return "\u2013"
    kind = _KINDS.get(name)
    if kind is not None:
        return kind(value, words)
    if name == "zone":
        return names.zone(value)
    if name == "attribute":
        return _in_sentence(names.attribute(value))
    if name == "class":
        return names.class_(str(values.get("attribute")), value)
    if isinstance(value, bool):
        return label(str(value).lower(), words)
    if isinstance(value, int | float):
        return words.number(value, 0) if isinstance(value, int) else words.trimmed(value, 3)
    return label(value, words) if value in VOCABULARY else value


def _in_sentence(text: str) -> str:
    """Begin a label in lower case, unless it looks like an abbreviation."""
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


_KINDS: dict[str, Callable[[Any, Words], str]] = {
    **{name: lambda value, words: words.share(value) for name in _FRACTIONS | {"stone_share"}},
    **{name: lambda value, words: words.number(value, 2) for name in _LOG10},
    **{name: lambda value, words: words.day(value) for name in ("day", "status_on")},
    "p_value": lambda value, words: words.p_value(value),
    "p_limit": lambda value, words: words.probability(value),
    "declared": lambda value, words: words.number(value, 2),
    "parcel": lambda value, words: words.number(value, 2),
}
