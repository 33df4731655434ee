"""What lines around a table label: cells that hold several labels are parted, values below their labels laid beside."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date

from kpfootprint.ingest.columns.origins import is_of_origin
from kpfootprint.ingest.names.headers import Headers
from kpfootprint.ingest.names.statements import condition_said
from kpfootprint.ingest.raw.cells import Cell, is_blank, is_number, read_date, read_yes_or_no, text_of
from kpfootprint.ingest.sheets.fields_said import ID, IDS
from kpfootprint.ingest.words import (
    all_say,
    declared_words,
    fold,
    is_plain,
    plain,
    says,
    table_names,
    tokens_of,
    unit_pattern,
)

Line = tuple[int, list[Cell]]
"""A line above or below a table: where it stands, and its cells."""

Pair = tuple[str, Cell, tuple[str, ...]]
"""A label, what it says, and the cells that both stand in."""

_LABEL_BEHIND = re.compile(r"(?:\s+[-–—|/;]\s+|[,;]\s+|\s*\n\s*|\s{2,})(?=[^\W\d][^:;|,\n]{0,30}:\s*\S)")

_BEFORE = re.compile(r"[:=]\s*\d+$")

_BEHIND = re.compile(rf"\d{{1,2}}\s*(?:mm|{unit_pattern('carats')})?\.?\s*", re.IGNORECASE)

_NUMBER_SIGN, _CAPITALS = re.compile(r"(n°|#)(?=\S)", re.IGNORECASE), re.compile(r"[A-Z]{2,4}")

_LABELLED = re.compile(r"(?P<key>[^\W\d][^\d:]*?)\s+(?P<value>\d+(?:[.,]\d+)?(?P<mm>\s*mm)?)\W*", re.IGNORECASE)
"""A label and its number, with nothing between: ``Total carats 12.90``, ``Bottom screen 1.5 mm``."""

_BY = re.compile(r"(?P<key>[^\W\d]+ (?:by|par|on|le)) (?P<value>[^:]+)", re.IGNORECASE)
"""Who did what, or when, with nothing between: ``Sorted by JM``."""

_ON_A_DAY = re.compile(r"(?P<name>.*\S)\s+(?:of|on|dated|du|le|en date du|vom|am|de)\s+(?P<day>\S*\d.*)", re.IGNORECASE)
_WITHIN = re.compile(r"\([^()]*\)")
_SAID_BARE = "specials_removed"
"""What a line says that is its label and no more: ``Specials (+10.8 ct) removed``."""
_LABEL_WITHIN = re.compile(r"(?P<name>.*?\w)\s+(?P<rest>[^\W\d]\w*\.?\s*:.*)")
_BEHIND_A_NAME = re.compile(
    r"(?P<name>.*?\w)(?:\s*[,;(]\s*|\s+[-–—/]\s+|\s+(?=(?:at|à|chez|bei)\s))(?P<rest>.*)", re.IGNORECASE
)
_BEHIND_AN_ID = re.compile(
    r"(?P<name>(?:[^\W\d]{1,6}[\s-]+)?\S*\d[\w/.-]*)(?:\s*[,;(]\s*|\s+(?:[-–—/]\s+)?)(?P<rest>.*)"
)
_A_WORD = re.compile(r"\d|^(?:at|à|chez|bei)\b|\b(?!and\b|und\b)[a-zà-ÿ]{3,}")
"""What is no name, and so stands behind one: a word in small letters, a number."""

_SMALL = re.compile(r"[a-zà-ÿ]{3,}")

_PARTS = re.compile(r"\s*[,;]\s+|\s+[-–—|/]\s+|\s{2,}")

_WORDS = 4
"""Words of such a label, at most."""


def _parted(lines: Sequence[tuple[int, Sequence[Cell]]], headers: Headers) -> list[Line]:
    """Return lines with the cells that hold something, each with one label."""
    filled = [(line, [cell for cell in cells if not is_blank(cell)]) for line, cells in lines]
    return [(line, _rejoined([piece for cell in cells for piece in _pieces(cell, headers)])) for line, cells in filled]


def _pieces(cell: Cell, headers: Headers) -> list[Cell]:
    """Part a title at the dashes, bars and commas before further labels: ``Parcel CAR-7 — Zone: Nola``."""
    if isinstance(cell, str) and "\n" in cell.strip():  # a title of several lines, merged
        return [piece for line in cell.split("\n") if line.strip() for piece in _pieces(line, headers)]
    hits = [*_LABEL_BEHIND.finditer(cell)] if isinstance(cell, str) and ":" in cell else []
    if not isinstance(cell, str) or not hits:
        return [cell]
    labels = [cell[at:].partition(":")[0] for at in (0, *(hit.end() for hit in hits))]
    of_zones = any(headers.words.zone(label) is not None for label in labels)
    kept: list[re.Match[str]] = []
    before = labels[0]
    for hit, label in zip(hits, labels[1:], strict=True):
        of_fact = is_of_origin(label, headers) or headers.field(label) not in (None, "n_stones", "carats")
        if of_fact or not (is_of_origin(before, headers) or of_zones):  # ``Origine : Nola - Poids déclaré : 8 ct``
            kept, before = [*kept, hit], label
    starts, ends = [0, *(hit.end() for hit in kept)], [*(hit.start() for hit in kept), len(cell)]
    return [cell[start:end] for start, end in zip(starts, ends, strict=True)]


def _rejoined(cells: list[Cell]) -> list[Cell]:
    """Return the cells of a title with a decimal comma that parted two of them: ``Screen: 1`` beside ``98``."""
    joined: list[Cell] = []
    for cell in cells:
        before = joined[-1] if joined else None
        cut = isinstance(before, str) and _BEFORE.search(before) is not None
        if cut and isinstance(cell, str) and _BEHIND.fullmatch(cell):
            joined[-1] = f"{before},{cell}"
        else:
            joined.append(cell)
    return joined


def _with_amounts(lines: list[Line], headers: Headers) -> list[Line]:
    """Join a line of zones, ``Zone | Nola | Boda``, with the one below it that holds their carats."""
    joined: list[Line] = []
    for line, cells in lines:
        above = joined[-1][1] if joined else []
        texts, zones = ([text_of(cell) for cell in row] for row in (cells, above))
        role = headers.of(texts[0]).role if len(texts) == len(zones) > 2 and is_of_origin(zones[0], headers) else ""
        named = all(headers.words.zone(zone) is not None for zone in zones[1:])
        if role in ("carats", "percent") and named and all(map(is_number, texts[1:])):
            unit = "%" if role == "percent" else " ct"
            pairs = [f"{zone} {text}{unit}" for zone, text in zip(zones[1:], texts[1:], strict=True)]
            joined[-1] = joined[-1][0], [zones[0], "; ".join(pairs)]
        else:
            joined.append((line, cells))
    return joined


def laid_beside(lines: Sequence[tuple[int, Sequence[Cell]]], headers: Headers) -> list[Line]:
    """Return lines, each cell with one label, and values that stand below labels, ``Exporter | Zone``, beside them."""
    laid: list[tuple[int, Sequence[Cell]]] = list(lines)
    for at, (line, cells) in enumerate(lines[:-1]):
        labels = {place: text_of(cell) for place, cell in enumerate(cells) if not is_blank(cell)}
        values, after = (
            {place: text_of(cell) for place, cell in enumerate(below) if not is_blank(cell)}
            for _, below in (*lines, (0, ()))[at + 1 : at + 3]
        )
        said = {place: label for place, label in labels.items() if place in values or _is_label(label, headers)}
        of_several = {*after} == {*values} and _are_values(after, said, headers)
        if _are_labels(labels, headers) and _are_values(values, said, headers) and not of_several:
            pairs_of = [f"{label.rstrip(': ')}: {values[place]}" for place, label in said.items() if place in values]
            laid[at : at + 2] = [
                (line, [label for place, label in labels.items() if place not in said]),
                (line, pairs_of),
            ]
    return _with_amounts(_parted(laid, headers), headers)


def _are_labels(texts: Mapping[int, str], headers: Headers) -> bool:
    """Say whether the cells of a line are labels, most of which are known, and head no zones and their carats."""
    known = [text for text in texts.values() if _is_label(text, headers)]
    others = [text for text in texts.values() if text not in known]
    listed = any(is_of_origin(text, headers) for text in known) and any(
        headers.measure(text) in ("n_stones", "carats") for text in texts.values()
    )
    if not known or listed or any(":" in text.rstrip(": ") for text in texts.values()):
        return False
    said = {text: headers.of(text) for text in others}
    named = [text for text in others if said[text].role != "unknown" and not said[text].party]  # ``Golden Stone BV``
    return 2 * (len(known) + len(named)) > len(texts) and not any(map(str.isdigit, "".join(others)))


def _are_values(texts: Mapping[int, str], labels: Mapping[int, str], headers: Headers) -> bool:
    """Say whether the cells of a line stand below labels, below most of them, and are none."""
    below = {*texts} <= {*labels} and len(texts) > 1 and 2 * len(texts) > len(labels)
    measures = (headers.measure(text) in ("n_stones", "carats") for text in texts.values())
    return below and not any(measures) and not any(_is_label(text, headers) for text in texts.values())


def pairs(filled: list[Cell], headers: Headers) -> list[Pair]:
    """Return what the cells of a line label: ``Zone: Nola``, ``Zone | Nola``, ``Total carats 12.90``."""
    found: list[Pair] = []
    for at, cell in enumerate(filled):
        text = text_of(cell)
        key, colon, said = text.partition(":")
        answer = filled[at + 1] if at + 1 < len(filled) and not _is_label(filled[at + 1], headers) else None
        if condition := next((name for name in ("cleaning_state", "selection") if _says_so(name, text)), None):
            if answer is None or ":" in text_of(answer) or read_yes_or_no(answer) is True:  # ``Deep boiled | no``
                found.append((condition, text, (text,) if ":" in text_of(answer) else (text, text_of(answer))))
        elif colon and said.strip():
            found.append((key, said.strip(), (text,)))
        elif len(tokens_of(text)) > 1 and len(filled) == 1 and headers.field(_WITHIN.sub("", text)) == _SAID_BARE:
            found.append((_SAID_BARE, "yes", (text,)))
        elif (named := _named_id(text, headers)) is not None:
            found.append((*named, (text,)))
        elif ((hit := _BY.fullmatch(text)) and headers.field(hit["key"])) or (
            (hit := _LABELLED.fullmatch(text))
            and len(hit["key"].split()) <= _WORDS
            and (hit["mm"] or headers.of(hit["key"]).part == "whole")
        ):
            found.append((hit["key"], hit["value"], (text,)))
        elif answer is not None:
            found.append((text.rstrip(": "), answer, (text, text_of(answer))))
    return found


def _named_id(text: str, headers: Headers) -> tuple[str, str] | None:
    """Return the label of an id and what stands right behind it: ``KP Certificate CF 00123``, ``Tri du colis A-7``."""
    words = _NUMBER_SIGN.sub(r"\1 ", text).split()
    at = next((at for at, word in enumerate(words) if any(map(str.isdigit, word))), 0)
    for end in (at, at - 1) if at and _CAPITALS.fullmatch(words[at - 1]) else (at,):
        for start in range(end):
            key, before = " ".join(words[start:end]), " ".join(words[:start])
            of_goods = is_plain(before) or fold(before.rstrip("-–— ")) in table_names()
            if of_goods and headers.words.columns("parcels").get(fold(key)) in IDS:
                sure = len(words) == at + 1 or end < at or ID.fullmatch(words[at]) or not words[at + 1][0].isalnum()
                more = any(map(ID.fullmatch, words[at + 1 :])) or says("void_alone", *tokens_of(text))  # ``(suite)``
                return (key, " ".join(words[end:])) if sure and not more else None
    return None


def _says_so(name: str, text: str) -> bool:
    """Say whether a line says a condition without its label, in words that have one meaning: ``Pierres non lavées``."""
    alone = declared_words()["values"]["beside"]["alone"]
    return (len(tokens_of(text)) > 1 or plain(text) not in alone) and condition_said(name, text) is not None


def _is_label(cell: Cell, headers: Headers) -> bool:
    """Say whether a cell is a label of a title, and not what one says."""
    text = text_of(cell).rstrip(": ")
    tokens = tokens_of(text)
    everywhere = says("all", *tokens[:1])  # ``Zone | all zones``
    known = headers.field(text) is not None or (is_of_origin(text, headers) and not everywhere)
    of_consignee = 0 < len(tokens) < 3 and all_say(("consignee",), tokens)
    return known or of_consignee or text_of(cell).endswith(":")


def without_rest(field: str, value: Cell) -> tuple[Cell, str]:
    """Return a name or an id without what else its line says, and that: ``JM - contrôlé par KL``, ``CF-7 (sealed)``."""
    text = text_of(value)
    first, *more = _PARTS.split(text) if field in ("cleaning_state", "selection") else (text,)
    if any(map(str.isdigit, "".join(more))) and condition_said(field, first) is not None:
        return first, ", ".join(more)
    hit = _LABEL_WITHIN.fullmatch(text) if field in ("exporter", "sorter") else None
    of_day = _ON_A_DAY.fullmatch(text) if hit is None and field in ("certificate_no", "exporter", "sorter") else None
    if of_day is not None and isinstance(read_date(of_day["day"]), date):
        return of_day["name"], ""
    if hit is None and field in ("sorter", "certificate_no", "parcel_id"):
        hit = (_BEHIND_A_NAME if field == "sorter" else _BEHIND_AN_ID).fullmatch(text)
        small = hit is not None and (_A_WORD.search(hit["rest"]) if field == "sorter" else _SMALL.search(hit["rest"]))
        hit = hit if small else None
    return (value, "") if hit is None else (without_rest(field, hit["name"])[0], hit["rest"].strip(" ()"))
