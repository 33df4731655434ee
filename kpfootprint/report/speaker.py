"""A report's content together with one language to say it in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kpfootprint.report.locale import Names, Words, mark, names, words
from kpfootprint.report.report import Report, canonical, in_full
from kpfootprint.report.sentences import say
from kpfootprint.report.vocabulary import label
from kpfootprint.visible import visible_throughout


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
        """Return statements in words."""
        return tuple(self.say(statement) for statement in statements)

    def sentences(self, codes: Sequence[str]) -> tuple[str, ...]:
        """Return the explanation's sentences of these codes in words; none where nothing is explained."""
        explained = self.content["explanation"] or {"sentences": []}
        return self.says([item for item in explained["sentences"] if item["code"] in codes])

    def label(self, code: str | None) -> str:
        """Return a word of the field for its code."""
        return label(code, self.words)

    def log10(self, value: float | None) -> str:
        """Return a log10 LR with two decimals; a dash for None."""
        return "\u2013" if value is None else self.words.number(value, 2)

    def share(self, value: float | None) -> str:
        """Return a fraction as a percentage; a dash for None."""
        return "\u2013" if value is None else self.words.share(value)

    def between(self, found: Mapping[str, float]) -> str:
        """Return ``12% (90% interval 3.0% to 24%)``."""
        return self.t(
            mark("{estimate} ({level} interval {low} to {high})"),
            **{name: self.words.share(found[name]) for name in ("estimate", "low", "high", "level")},
        )

    def ratio(self, log10_lr: float) -> str:
        """Return a likelihood ratio away from one, two significant digits: ``45``, ``1,300``, ``3.2``."""
        value = 10 ** abs(log10_lr)
        if value >= 1e6:
            return self.t(mark("more than a million"))
        if value < 10:
            return self.words.number(value, 1)
        return self.words.number(float(f"{value:.2g}"), 0)

    def zones(self, zone_ids: Sequence[str]) -> str:
        """Return zone names as a list in words."""
        return self.words.listing([self.zone(zone_id) for zone_id in zone_ids])

    def zone(self, zone_id: str) -> str:
        """Return a zone's name; ``unlisted`` stands for a source nobody has sampled."""
        return self.label("unlisted") if zone_id == "unlisted" else self.names.zone(zone_id)

    @property
    def declared_zones(self) -> tuple[str, ...]:
        """Ids of the declared zones, in the order declared."""
        return tuple(zone["zone_id"] for zone in self.content["parcel"]["declared"])

    @property
    def declared(self) -> str:
        """Name what was declared within a sentence."""
        if len(self.declared_zones) == 1:
            return self.t(mark("the zone {zone}"), zone=self.zones(self.declared_zones))
        return self.t(mark("the declared blend of {zones}"), zones=self.zones(self.declared_zones))


def speaker(report: Report, lang: str) -> Speaker:
    """Return the speaker of a report in a language."""
    content = in_full(visible_throughout(report.content))
    return Speaker(content, words(lang), names(canonical(content["model"]), lang))
