"""The words of a report and what they mean: the glossary in a language, its terms in running text, and its page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from kpfootprint.report.blocks import Term
from kpfootprint.report.locale import Words, held, mark

TERMS: dict[str, str] = {
    "footprint": mark(
        "Footprint | footprint, footprints | The characteristic profile of rough from one location: its sizes, "
        "colours and shapes taken together. It describes a parcel, never a single stone."
    ),
    "parcel": mark("Parcel | parcel, parcels | Stones that travel together, and the unit of this comparison."),
    "zone": mark(
        "Zone | zone, zones | An area that production is declared from, such as a sub-prefecture; zones abroad are "
        "among them."
    ),
    "declared": mark(
        "Declaration | declaration, declarations, declared, what was declared | The zones that the papers name, with "
        "their carats. Several zones make a declared blend, in proportion to their carats."
    ),
    "status": mark(
        "Status of a zone | status, compliant | Compliant or suspended, with dates, from the zone table. The day that "
        "counts is the day of export, or the day of the comparison where none is given."
    ),
    "hypotheses": mark(
        "H1 and H2 | h1, h2, hypothesis, hypotheses | The two explanations weighed against each other. H1: the parcel "
        "comes from what was declared. H2: it comes from elsewhere, that is from listed sources that were not "
        "compliant on the day, or from an unlisted source."
    ),
    "lr": mark(
        "Likelihood ratio (LR) | likelihood ratio, lr, log10 lr, log10 likelihood ratio | How many times as probable "
        "what was seen is under H1 as under H2. It weighs the observation, and is not the probability of either "
        "hypothesis. Its log10 is its power of ten: 2 means 100, 0 means 1, \u22122 means 1/100."
    ),
    "bounds": mark(
        "Bounds | bound, bounds, upper bound, lower bound, bounding | The largest and the smallest likelihood ratio "
        "that the number of reference parcels can carry. A value beyond them is held at the bound."
    ),
    "interval": mark(
        "Interval | interval | The range that holds the value with the stated probability, given what the references "
        "leave open."
    ),
    "calibrated": mark(
        "Calibrated | calibrated | Adjusted on parcels of known source, so that a stated likelihood ratio means what "
        "it says: a value of ten occurs ten times as often when H1 is true as when H2 is."
    ),
    "scale": mark(
        "Verbal scale | scale, support, supports | Agreed words for ranges of the likelihood ratio, from weak to very "
        "strong, the same on either side."
    ),
    "errors": mark(
        "Error rates | error rates, error rate, errors | How often the conclusion was wrong on parcels of known "
        "source, at the same size: true declarations that were queried, and false ones that were called consistent."
    ),
    "conclusion": mark(
        "Conclusion | conclusion, inconclusive, not comparable, consistent, query | Consistent: the parcel looks like "
        "what was declared. Query: there is reason to ask. Inconclusive: neither. Not comparable: too few stones, "
        "weights in doubt, or no reference to compare with."
    ),
    "reference": mark(
        "Reference | reference, references, reference parcel, reference parcels | Parcels of known zone that "
        "everything is compared with. Few reference parcels of a zone make every statement on it weaker."
    ),
    "synthetic": mark(
        "Synthetic | synthetic | Invented for trying the method; a synthetic reference says nothing of real goods."
    ),
    "release": mark(
        "Release | release | A fitted and judged model in a folder with hashes of all its files; a report names the "
        "release it used."
    ),
    "typicality": mark(
        "Typicality | typicality, as far from it | How usual the parcel is for what was declared: the share of such "
        "parcels that lie as far from the centre or further."
    ),
    "posterior": mark(
        "Posterior | posterior, if every zone were as likely beforehand | The probability of each zone after the "
        "stones were seen, if every zone had the same chance before."
    ),
    "set": mark(
        "Prediction set | prediction set | The zones that cannot be excluded; the true one is among them with the "
        "stated frequency."
    ),
    "novelty": mark(
        "Novelty | novelty, novel | Whether the parcel is unlike everything in the reference. A small p-value says "
        "that few reference parcels are as unusual."
    ),
    "p": mark(
        "p-value | p-value, p | The chance of something at least as unusual if nothing were the matter; a small one "
        "is a reason to look."
    ),
    "mixture": mark(
        "Undeclared goods | undeclared goods, undeclared share, undeclared | Stones from elsewhere in a parcel whose "
        "other stones come from what was declared."
    ),
    "detection": mark(
        "Detection limit | detection limit | The smallest undeclared share of stones that would be found nine times "
        "in ten at this size, with one false alarm in twenty. Below it, finding nothing means little."
    ),
    "unlisted": mark(
        "Unlisted source | unlisted source, unlisted, a source nobody has sampled | A source of which there is no "
        "reference parcel. It is given a stated weight among the alternatives."
    ),
    "contribution": mark(
        "Contribution | contribution, contributions | What an attribute or a class adds to the log10 likelihood ratio "
        "before bounding. For attributes these are Shapley shares, which add up to it exactly."
    ),
    "range": mark(
        "Expected range | expected range, expected | Where the share of stones of nine parcels in ten from what was "
        "declared would lie at this size."
    ),
    "screen": mark(
        "Bottom screen | bottom screen | The aperture that small stones fall through at the plant; it cuts the sizes "
        "off below, softly."
    ),
    "sieve": mark("Sieve set | sieve set | The row of sieves that size classes come from. Exporters' sets differ."),
    "cleaning": mark(
        "Cleaning state | cleaning state | Unwashed, acid-rinsed or deep-boiled: the same goods look different in each."
    ),
    "selection": mark(
        "Selection | selection, run of mine | Run of mine is production as it comes; goods sorted by a buyer have "
        "another footprint."
    ),
    "sorter": mark(
        "Sorter | sorter, sorters | Who classed colours and shapes; two sorters class the same stones somewhat "
        "differently."
    ),
}
"""Terms by key: the term | its forms in running text | its meaning."""


@lru_cache(maxsize=8)
def glossary(lang: Words) -> tuple[Term, ...]:
    """Return the glossary in a language, in the alphabetical order of its terms."""
    terms = []
    for key, message in TERMS.items():
        term, forms, meaning = lang.text(message).split(" | ")
        terms.append(Term(key=key, term=term, forms=tuple(forms.split(", ")), meaning=meaning))
    return tuple(sorted(terms, key=lambda term: term.term.casefold().replace("é", "e")))


class Linker:
    """Finds terms in the running text of a document, each once a section; none of a document without a glossary."""

    def __init__(self, terms: Sequence[Term]) -> None:
        self._keys = {form: term.key for term in terms for form in term.forms}
        forms = sorted(self._keys, key=len, reverse=True)
        any_form = "|".join(map(re.escape, forms)) or "(?!)"
        self._pattern = re.compile(rf"(?<![\w\-])({any_form})(?![\w\-])", re.IGNORECASE)
        self.seen: dict[str, set[str]] = {}

    def runs(self, text: str, section: str) -> list[tuple[str, str | None]]:
        """Split a text, its numbers and units held together, into (piece, term key or None)."""
        text, seen = held(text), self.seen.setdefault(section, set())
        runs: list[tuple[str, str | None]] = []
        end = 0
        for found in self._pattern.finditer(text):
            key = self._keys[found[0].lower()]
            if key in seen:
                continue
            seen.add(key)
            if found.start() > end:
                runs.append((text[end : found.start()], None))
            runs.append((found[0], key))
            end = found.end()
        if end < len(text) or not runs:
            runs.append((text[end:], None))
        return runs
