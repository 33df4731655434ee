"""What the answers of planning say: their sentences by code, and how the values in them are shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kpfootprint.report.locale import Names, words
from kpfootprint.report.messages import CONCLUSIONS, PLANNING, TEXTS
from kpfootprint.report.sentences import Speaker, in_sentence

_SHARES = {"share", "floor", "most", "passing", "then", "whole", "at_most", "low", "high"}


Json = Mapping[str, Any]


def planner(answer: Json, zones: Mapping[str, str], lang: str) -> Speaker:
    """Return the speaker of an answer; `zones` are names by id, those of attributes and classes are in the answer."""
    said = words(lang)
    labels = {
        name: texts.get(said.lang, name.partition(":")[2] or name) for name, texts in answer.get("labels", {}).items()
    }
    return Speaker(
        answer,
        said,
        Names(
            {**zones, **{name: said.text(text) for name, text in TEXTS["against"].items()}},
            {name: said.sentence(text) for name, text in labels.items() if ":" not in name},
            {(name.partition(":")[0], name.partition(":")[2]): text for name, text in labels.items() if ":" in name},
            frozenset(),
        ),
    )


def sentence(sp: Speaker, statement: Json) -> str:
    """Return a statement of planning in words."""
    code, values = statement["code"], statement["values"]
    message = PLANNING.get(f"{code}.times" if "times" in values else code, PLANNING[code])
    shares = set() if code.startswith("sheets_differ") else _SHARES
    text = sp.t(message, **{name: _shown(sp, name, value, shares, values) for name, value in values.items()})
    if values.get("changed"):
        changed = [sp.t(TEXTS["conditions"].get(name, name)) for name in values["changed"]]
        text += " " + sp.t(PLANNING["changed"], changed=sp.words.listing(changed))
    return sp.words.sentence(text)


def named(sp: Speaker, name: str) -> str:
    """Return the label of an attribute, or of a class as ``attribute:class``, with its attribute before it."""
    attribute, colon, item = name.partition(":")
    label = sp.names.attribute(attribute)
    return f"{label}{sp.words.colon}{sp.names.class_(attribute, item)}" if colon else label


def series_name(sp: Speaker, name: str) -> str:
    """Return what a chart follows."""
    return sp.t(TEXTS["series"][name]) if name in TEXTS["series"] else named(sp, name)


def conclusion(sp: Speaker, kind: str | None) -> str:
    """Return a conclusion in words."""
    return sp.t(CONCLUSIONS[kind or "undeclared"])


def status_in(sp: Speaker, statuses: Sequence[str | None], day: str) -> str:
    """Say the statuses of the zones that a parcel of a claim declares, on a day; a country has none."""
    known = sorted({sp.label(item) for item in statuses if item is not None})
    return sp.words.row([*known, sp.words.day(day)])


def _class_in_sentence(sp: Speaker, attribute: str, name: str) -> str:
    return f"{sp.names.class_(attribute, name)} ({in_sentence(sp.names.attribute(attribute))})"


def _shown(sp: Speaker, name: str, value: Any, shares: set[str], values: Json) -> str:
    if name in shares:
        return sp.share(value)
    if name == "shift" and values["series"] == "undeclared":
        return sp.t("{n} percentage points", n=sp.words.number(100 * abs(value)))
    if name in _KINDS:
        return _KINDS[name](sp, value)
    if isinstance(value, float):
        value = abs(value) if name == "shift" else value
        return sp.words.number(value) if abs(value) >= 10 and name == "times" else sp.words.trimmed(value, 2)
    return sp.words.number(value) if isinstance(value, int) else str(value)


_KINDS: Mapping[str, Callable[[Speaker, Any], str]] = {
    **dict.fromkeys(("zone", "hardest", "collect", "against"), Speaker.zone),
    **dict.fromkeys(("since", "on", "day", "status_on"), lambda sp, value: sp.words.day(value)),
    "attribute": lambda sp, value: in_sentence(named(sp, value)),
    "class": lambda sp, value: _class_in_sentence(sp, *value.split(":", 1)),
    "zones": Speaker.zones,
    "status": Speaker.label,
    "series": series_name,
    "conclusion": conclusion,
    **dict.fromkeys(("p_value", "usual_p"), lambda sp, value: sp.words.p_value(value)),
    "attributes": lambda sp, value: sp.words.listing([named(sp, one) for one in value]),
    "conclusions": lambda sp, value: sp.t("; ").join(
        f"{sorter}{sp.words.colon}{conclusion(sp, kind)}" for sorter, kind in value.items()
    ),
}
"""How a value is shown, by its name."""


def worded(answer: Mapping[str, Any], zones: Mapping[str, str], lang: str = "en") -> dict[str, Any]:
    """Return an answer of planning with every statement in words beside its code and values.

    Parameters
    ----------
    zones : mapping
        Names of zones by id.
    """
    sp = planner(answer, zones, lang)

    def told(statements: Sequence[Json]) -> list[Json]:
        return [{**one, "text": sentence(sp, one)} for one in statements]

    out: dict[str, Any] = {name: value for name, value in answer.items() if name != "statements"}
    if "statements" in answer:
        out["sentences"] = told(answer["statements"])
        out["sentence"] = " ".join(one["text"] for one in out["sentences"])
    if "cautions" in answer:
        out["cautions"] = told(answer["cautions"])
    if "series" in answer:
        out["series"] = [{**one, "signals": told(one["signals"])} for one in answer["series"]]
    return out
