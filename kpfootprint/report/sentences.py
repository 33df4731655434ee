"""Every statement in words: a template for each code, filled from the statement's values in any language."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kpfootprint import plain as rounding
from kpfootprint.report.blocks import Block, Section, Table
from kpfootprint.report.locale import Names, Shown, Words, mark, mark_plural, names, words
from kpfootprint.report.messages import AMOUNTS, PARTS, PLURALS, TEMPLATES, TEXTS, VOCABULARY
from kpfootprint.report.report import Report, canonical, in_full
from kpfootprint.visible import visible_throughout

_FRACTIONS = {
    *("share", "low", "high", "low_limit", "observed", "expected", "evidence_share", "level"),
    *("detection_limit", "posterior", "unlisted_weight"),
}
_LOG10 = {"log10_lr", "log10_lr_share", "log10_lr_without", "log10_limit", "contribution"}
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
    return rounding.p_value(value) if name in _PROBABILITIES else rounding.decimals(value)


def say(statement: Mapping[str, Any], words: Words, names: Names) -> str:
    """Return a statement in words.

    A template may have variants: ``class_more`` with ``favours`` H2 is said by ``class_more.H2``. A code
    this version has no template for (a later or a much older report) is said by the text it carries.
    """
    code, values = statement["code"], statement["values"]
    shown = _shown(code, values, words, names)
    for selector in _variants(code, values):
        if f"{code}.{selector}" in TEMPLATES:
            return words.text(TEMPLATES[f"{code}.{selector}"], **shown)
    if code in PLURALS:
        one, many, counted = PLURALS[code]
        return words.plural(one, many, int(values[counted]), **shown)
    if code in TEMPLATES:
        return words.text(TEMPLATES[code], **shown)
    return str(statement.get("text", code))


def _variants(code: str, values: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what may choose a variant of a template, the first that exists counts; ``old`` are those of schema 1.0."""
    old = "old" if code in _ADDED and _ADDED[code] not in values else None
    side = None
    if "log10_limit" in values:
        side = "even" if abs(values["log10_lr"]) < EVEN else "H1" if values["log10_lr"] > 0 else "H2"
    limit = "none" if values.get("detection_limit") == 1 else None
    every = "all" if values.get("low") == 1 else "nearly" if values.get("share", 0) >= PARTS[0][0] else None
    others = "others" if values.get("other_zones") else "two" if values.get("n_readings") else None
    perhaps = "perhaps" if code == "mixture_found" and values["low"] == 0 else None
    several = "many" if {"zones", "attributes"} & values.keys() else None
    many = "in_part" if "declared_zones" in values else several
    placed = None
    if "observed" in values and values["low"] is not None:
        places = {("H1", False): "beyond", ("H2", True): "inside"}
        within = values["low"] <= values["observed"] <= values["high"]
        placed = places.get((str(values.get("favours")), within))
    uncounted = "uncounted" if None in values.values() else None
    held = "held" if code == "novel_parcel" and "log10_lr" in values else None
    by_side = side or placed or values.get("favours")
    return old, by_side, held, values.get("bound"), limit, perhaps, others, every, many, uncounted


_ADDED = {**{f"class_{relation}": "evidence_share" for relation in AMOUNTS}, "within_ranges": "n_all"}
"""Values that statements of schema 1.0 lack, by code."""


def _shown(code: str, values: Mapping[str, Any], words: Words, names: Names) -> dict[str, str]:
    shown = {name: _show(name, value, values, words, names) for name, value in values.items()}
    if "attribute" in values and "class" in values:
        kind = TEXTS["stones"]["sized" if values["attribute"] in names.sized else "classed"]
        shown["stones"] = words.text(kind, attribute=shown["attribute"], **{"class": shown["class"]})
    if "observed" in values and values["low"] is not None:
        beside = words.shares_beside(values["observed"], values["low"], values["high"])
        shown |= dict(zip(("observed", "low", "high"), beside, strict=True))
    if "observed" in values and values.get("expected") is not None:
        shown["amount"] = words.sentence(amount(code.removeprefix("class_"), values, shown["stones"], words))
    if "evidence_share" in values:
        shown["part"] = part(values["evidence_share"], words)
    if "share" in values:
        shown["portion"] = part(values["share"], words)
    for name in ("log10_lr", "log10_limit"):
        if name in values:
            shown[name.replace("log10_lr", "times").replace("log10_limit", "times_limit")] = ratio(values[name], words)
    for name in _PROBABILITIES & set(values):
        shown[f"{name.removesuffix('_value')}_share"] = words.chance(values[name])
    if code.startswith("short_"):
        shown |= _just_missed(shown, values, words)
    if "zones" in values:
        shown["source"], shown["parcels"] = (_of(TEXTS[kind], values, shown, words) for kind in ("source", "parcels"))
    if "zones" in values and "stone_shares" in values:
        shown["blend"] = words.listing(
            [
                f"{names.zone(zone)} ({words.share(share)})"
                for zone, share in zip(values["zones"], values["stone_shares"], strict=True)
            ]
        )
    return shown


def _just_missed(shown: Mapping[str, str], values: Mapping[str, Any], words: Words) -> dict[str, str]:
    """Say of what misses its limit by less than is shown that it lies just under it, not that it is the limit."""
    pairs = {"p_share": "p_limit_share"} | ({} if values.get("favours") == "H2" else {"times": "times_limit"})
    return {
        name: words.text(mark("just under {limit}"), limit=shown[limit])
        for name, limit in pairs.items()
        if name in shown and shown[name] == shown[limit]
    }


EVEN = 0.02
"""Least log10 LR of what is more probable of one side; less is about as probable of either."""
FEW_ZONES = 3
"""So many zones are named within a sentence; of more it says how many were declared."""


def _of(kinds: Mapping[str, str], values: Mapping[str, Any], shown: Mapping[str, str], words: Words) -> Shown:
    """Name what was declared, which is one thing: a zone, a blend of several, or a country."""
    n = len(values["zones"])
    kind = "country" if "origins" in values else "one" if n == 1 else "few" if n <= FEW_ZONES else "many"
    return Shown(words.text(kinds[kind], **{**shown, "n": words.number(n)}))


def _show(name: str, value: Any, values: Mapping[str, Any], words: Words, names: Names) -> str:
    if name == "other_zones":
        return words.choice([label(item, words) if item == "unlisted" else names.zone(item) for item in value])
    if isinstance(value, Sequence) and not isinstance(value, str):
        return words.listing([_show(name.removesuffix("s"), item, values, words, names) for item in value])
    if value is None:
        return "\u2013"
    kind = _KINDS.get(name)
    if kind is not None:
        return kind(value, words)
    if name in ("zone", "declared_zone", "origin", "country"):
        return names.zones.get(value) or words.country(value)
    if name == "attribute":
        return in_sentence(names.attribute(value))
    if name in ("class", "set"):
        return names.class_(str(values.get("attribute")), value)
    if isinstance(value, bool):
        return label(value, words)
    if isinstance(value, int | float):
        return words.number(value, 0) if isinstance(value, int) else words.trimmed(value, 3)
    return label(value, words) if name in _CODES else value


def amount(relation: str, values: Mapping[str, Any], stones: str, words: Words) -> str:
    """Say how many stones of a class there are beside what is expected (``more``, ``fewer`` or ``like``)."""
    times = values["observed"] / max(values["expected"], 1e-4)
    message = next(text for least, text in AMOUNTS[relation] if times >= least)
    return words.text(message, stones=stones, times=words.number(times))


def part(share: float, words: Words) -> str:
    """Say a share in words, such as ``a quarter``."""
    return words.text(next(text for least, text in PARTS if share >= least))


def ratio(log10_lr: float, words: Words) -> str:
    """Return a likelihood ratio away from one, two significant digits: ``45``, ``1,300``, ``3.2``."""
    value = 10 ** abs(log10_lr)
    if value >= 1e6:
        return words.text(mark("more than a million"))
    if value < 9.95:
        return words.trimmed(value, 1)
    return words.number(float(f"{value:.2g}"), 0)


def in_sentence(text: str) -> str:
    """Begin a label in lower case, unless it looks like an abbreviation."""
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


_CODES = {"band", "status", "field", "value", "reason"}
"""Values that are codes; all other texts are what somebody wrote, though a sorter be called *strong*."""

_KINDS: dict[str, Callable[[Any, Words], str]] = {
    **dict.fromkeys(_FRACTIONS | {"stone_share"}, lambda value, words: words.share(value)),
    **dict.fromkeys(_LOG10, lambda value, words: words.number(value, 2)),
    **dict.fromkeys(("declared", "parcel", "carats"), lambda value, words: words.carats(value)),
    **dict.fromkeys(("day", "status_on", "compared_on"), lambda value, words: words.day(value)),
    **dict.fromkeys(("mean_ct", "known_ct", "lowest_ct", "highest_ct"), lambda value, words: words.stone(value)),
    "posterior": lambda value, words: words.credence(value),
    "p_value": lambda value, words: words.p_value(value),
    "p_limit": lambda value, words: words.probability(value),
}


def label(code: str | bool | None, words: Words) -> str:
    """Return the words for a code of the vocabulary or for yes or no, the code itself without any, a dash for None."""
    if code is None:
        return "\u2013"
    code = str(code).lower() if isinstance(code, bool) else code
    return words.text(VOCABULARY[code]) if code in VOCABULARY else code


Fact = tuple[Any, ...]
"""A name, how its value is shown, and the members of an item, by name or position, that the value is made of."""
STONES = mark_plural("{n} stone", "{n} stones")


@dataclass(frozen=True, slots=True)
class Speaker:
    """What sections and pictures are written with: the content, the words and the names of one language."""

    content: Mapping[str, Any]
    words: Words
    names: Names

    def t(self, message: str, **values: str) -> str:
        """Translate a message and fill in its values."""
        return self.words.text(message, **values)

    def say(self, statement: Mapping[str, Any]) -> str:
        """Return a statement in words, as a sentence of its own or after a colon, as its template has it."""
        return say(statement, self.words, self.names)

    def says(self, statements: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
        """Return statements in words, each a sentence of its own."""
        return tuple(self.words.sentence(self.say(statement)) for statement in statements)

    @property
    def cautions(self) -> tuple[Mapping[str, Any], ...]:
        """The cautions; those that differ in their zone alone, or in their attribute, are one with all."""
        together: dict[str, list[Mapping[str, Any]]] = {}
        for item in self.content["cautions"]:
            name = _listed(item)
            others = {key: value for key, value in item["values"].items() if key != name}
            same = canonical([item["code"], others, len(together) if name is None else None])
            together.setdefault(same, []).append(item)
        return tuple(items[0] if len(items) == 1 else _merged(items) for items in together.values())

    def sentences(self, *begun: str) -> tuple[str, ...]:
        """Return the explanation's sentences whose codes begin so, in words; none where nothing is explained."""
        explained = self.content["explanation"] or {"sentences": []}
        return self.says([item for item in explained["sentences"] if item["code"].startswith(begun)])

    def label(self, code: str | bool | None) -> str:
        """Return a word of the field for its code."""
        return label(code, self.words)

    def given(self, text: str | None) -> str:
        """Return what others wrote; a dash where they wrote nothing."""
        return text or "\u2013"

    def log10(self, value: float | None) -> str:
        """Return a log10 LR with two decimals; a dash for None."""
        return "\u2013" if value is None else self.words.number(value, 2)

    dollars = distance = log10
    """Dollars and distances on the map have two decimals too."""

    def carats(self, value: float | None) -> str:
        """Return carats with two decimals; a dash for None."""
        return "\u2013" if value is None else self.words.carats(value)

    def share(self, value: float | None) -> str:
        """Return a fraction as a percentage; a dash for None."""
        return "\u2013" if value is None else self.words.share(value)

    def observed(self, observed: float, low: float | None, high: float | None) -> str:
        """Return an observed share as it is shown beside its expected range."""
        if low is None or high is None:
            return self.share(observed)
        return self.words.shares_beside(observed, low, high)[0]

    def range_beside(self, observed: float, low: float | None, high: float | None) -> str:
        """Return the expected range as it is shown beside an observed share."""
        if low is None or high is None:
            return "\u2013"
        _, least, most = self.words.shares_beside(observed, low, high)
        return self.t("{low} to {high}", low=least, high=most)

    def span(self, low: float | None, high: float | None, shown: Callable[[float], str] | None = None) -> str:
        """Return ``3.0% to 24%``, or what is `shown` of other numbers; a dash where there is no range."""
        if low is None or high is None:
            return "\u2013"
        shown = self.share if shown is None else shown
        return self.t("{low} to {high}", low=shown(low), high=shown(high))

    def log10_span(self, low: float | None, high: float | None) -> str:
        """Return ``−0.20 to 1.35``; a dash where there is no range, words where all of it is held at a bound."""
        if low is not None and self.log10(low) == self.log10(high):
            return self.t("all held at the bound")
        return self.span(low, high, self.log10)

    def between(self, found: Mapping[str, float]) -> str:
        """Return ``12% (90% interval 3.0% to 24%)``."""
        return self.words.between(found["estimate"], found, self.words.share)

    def lr_values(self, found: Mapping[str, Any]) -> dict[str, str]:
        """Return a log10 LR as shown, with its interval and its bounds."""
        numbers = (found["log10_lr"], found["low"], found["high"], *found["bounds"])
        return dict(zip(("value", "low", "high", "lowest", "highest"), map(self.log10, numbers), strict=True))

    def ratio(self, log10_lr: float) -> str:
        """Return a likelihood ratio away from one: ``45``, ``1,300``, ``3.2``."""
        return ratio(log10_lr, self.words)

    def zones(self, zone_ids: Sequence[str]) -> str:
        """Return zone names as a list in words."""
        return self.words.listing([self.zone(zone_id) for zone_id in zone_ids])

    def origins(self, names: Sequence[str]) -> Shown:
        """Return what papers name, zones or countries, as a list in words."""
        return self.words.listing([self.names.zones.get(name) or self.words.country(name) for name in names])

    def either(self, zone_ids: Sequence[str]) -> str:
        """Return zone names of which one is meant."""
        return self.words.choice([self.zone(zone_id) for zone_id in zone_ids])

    def table(
        self, caption: str, header: Sequence[str], rows: Iterable[Sequence[str]], numeric: tuple[bool, ...] = ()
    ) -> Table:
        """Return a table; its header is translated, caption and rows are in words already."""
        return Table(caption=caption, header=tuple(map(self.t, header)), rows=tuple(map(tuple, rows)), numeric=numeric)

    def facts(self, item: Any, *facts: Fact) -> list[tuple[str, str]]:
        """Return names, translated, and what they are of an item."""
        return [(self.t(name), shown(*(item[member] for member in members))) for name, shown, *members in facts]

    def columns(self, caption: str, items: Iterable[Any], *columns: Fact, numeric: tuple[bool, ...] = ()) -> Table:
        """Return a table with a row an item; a column is a fact of each."""
        header = [name for name, *_ in columns]
        rows = [[cell for _, cell in self.facts(item, *columns)] for item in items]
        return self.table(caption, header, rows, numeric)

    def section(self, key: str, heading: str, *blocks: Block) -> Section:
        """Return a section; its heading is translated, its blocks are in words already."""
        return Section(key=key, heading=self.t(heading), blocks=blocks)

    @property
    def size(self) -> str:
        """How many stones and carats the parcel has."""
        parcel = self.content["parcel"]
        shown = []
        if parcel["n_stones"] is not None:
            n = self.words.number(parcel["n_stones"])
            shown.append(self.words.plural(*STONES, parcel["n_stones"], n=n))
        if parcel["carats"] is not None:
            shown.append(f"{self.carats(parcel['carats'])} ct")
        return ", ".join(shown) or "\u2013"

    def zone(self, zone_id: str) -> str:
        """Return a zone's name; ``unlisted`` stands for a source nobody has sampled."""
        return self.label("unlisted") if zone_id == "unlisted" else self.names.zone(zone_id)

    @property
    def declared_zones(self) -> tuple[str, ...]:
        """Ids of the declared zones, in the order declared."""
        return tuple(zone["zone_id"] for zone in self.content["parcel"]["declared"])


def _listed(caution: Mapping[str, Any]) -> str | None:
    """Return the value of a caution by which several of its kind are listed in one."""
    if caution["code"] in ("attribute_not_recorded", "partly_recorded"):
        return "attribute"
    return "zone" if "zone" in caution["values"] else None


def _merged(items: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    name = str(_listed(items[0]))
    values = {key: value for key, value in items[0]["values"].items() if key != name}
    return {"code": items[0]["code"], "values": {**values, f"{name}s": [item["values"][name] for item in items]}}


def speaker(report: Report, lang: str) -> Speaker:
    """Return the speaker of a report in a language."""
    content = in_full(visible_throughout(report.content))
    return Speaker(content, words(lang), names(canonical(content["model"]), lang))
