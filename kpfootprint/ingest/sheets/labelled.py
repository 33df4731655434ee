"""What lines around a table label, cells of several labels parted, values laid beside; of which field each label is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from kpfootprint.ingest.columns.origins import PARTS
from kpfootprint.ingest.names.headers import Headers
from kpfootprint.ingest.names.statements import STATED, condition_said, stated
from kpfootprint.ingest.parcels.records import CONDITIONS
from kpfootprint.ingest.problems import Broken
from kpfootprint.ingest.raw.cells import (
    Cell,
    DecimalMarks,
    has_digit,
    is_blank,
    is_number,
    read_date,
    read_number,
    read_yes_or_no,
    text_of,
    without_unit,
)
from kpfootprint.ingest.raw.rounding import unit_written
from kpfootprint.ingest.words import (
    all_say,
    condition_values,
    declared_words,
    fold,
    fold_sure,
    holds,
    is_not_recorded,
    is_number_of,
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
        of_fact = headers.names_origin(label) or headers.field(label) not in (None, "n_stones", "carats")
        if of_fact or not (headers.names_origin(before) or of_zones):  # ``Origine : Nola - Poids déclaré : 8 ct``
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
        role = headers.of(texts[0]).role if len(texts) == len(zones) > 2 and headers.names_origin(zones[0]) else ""
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
    rows = [*(_placed(cells) for _, cells in lines), {}]
    for at, (line, _) in enumerate(lines[:-1]):
        labels, values, after = rows[at : at + 3]
        said = {place: label for place, label in labels.items() if place in values or _is_label(label, headers)}
        of_several = {*after} == {*values} and _are_values(after, said, headers)
        if _are_labels(labels, headers) and _are_values(values, said, headers) and not of_several:
            pairs_of = [f"{label.rstrip(': ')}: {values[place]}" for place, label in said.items() if place in values]
            others = [label for place, label in labels.items() if place not in said]
            laid[at : at + 2] = [(line, others), (line, pairs_of)]
    return _with_amounts(_parted(laid, headers), headers)


def _placed(cells: Iterable[Cell]) -> dict[int, str]:
    """Return the cells of a line that hold something, as text, by where they stand."""
    return {place: text_of(cell) for place, cell in enumerate(cells) if not is_blank(cell)}


def _are_labels(texts: Mapping[int, str], headers: Headers) -> bool:
    """Say whether the cells of a line are labels, most of which are known, and head no zones and their carats."""
    known = [text for text in texts.values() if _is_label(text, headers)]
    others = [text for text in texts.values() if text not in known]
    measured = any(headers.measure(text) in ("n_stones", "carats") for text in texts.values())
    listed = measured and any(headers.names_origin(text) for text in known)
    if not known or listed or any(":" in text.rstrip(": ") for text in texts.values()):
        return False
    said = {text: headers.of(text) for text in others}
    named = [text for text in others if said[text].role != "unknown" and not said[text].party]  # ``Golden Stone BV``
    return 2 * (len(known) + len(named)) > len(texts) and not has_digit("".join(others))


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
    at = next((at for at, word in enumerate(words) if has_digit(word)), 0)
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
    known = headers.field(text) is not None or (headers.names_origin(text) and not everywhere)
    of_consignee = 0 < len(tokens) < 3 and all_say(("consignee",), tokens)
    return known or of_consignee or text_of(cell).endswith(":")


def without_rest(field: str, value: Cell) -> tuple[Cell, str]:
    """Return a name or an id without what else its line says, and that: ``JM - contrôlé par KL``, ``CF-7 (sealed)``."""
    text = text_of(value)
    first, *more = _PARTS.split(text) if field in ("cleaning_state", "selection") else (text,)
    if has_digit("".join(more)) and condition_said(field, first) is not None:
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


TITLED = ("certificate_no", "exporter", "exported_on", "hs_code", "n_parcels", *CONDITIONS)
"""Fields of a parcel that titles above a table may give, or columns that say the same in every row."""
IDS = ("parcel_id", "certificate_no")
_HEADS = ("money", "value_usd", "mean", "percent", "n_stones", "carats")
"""What heads a column and is no name of a sieve set, or of a parcel."""
NOT_HEADS = ("sieve_set", *IDS)
_WITH_GOODS = re.compile(r"(?P<name>.*?\w)\s*[-–,;/(]\s*(?P<goods>\d.*)")
ID = re.compile(r"(?=\S*[^\W\d])(?=\S*\d)[\w/.-]{4,}")
"""What is the name of a parcel, and none of who signs: ``CAR-2019-07``."""
_LONG_NUMBER = re.compile(r"\d{4}")
_MILLIMETRES = re.compile(r"\s*mm\.?$", re.IGNORECASE)


def field_named(key: str, value: Cell, headers: Headers) -> str:
    """Return the field of a parcel that a label names, or nothing."""
    in_mm = _MILLIMETRES.search(text_of(value)) is not None and all_say(("screen", "filler"), tokens_of(key))
    known = headers.field(key) or headers.measure(key)
    if is_number_of(tokens_of(key)) and says("several_parcels", *tokens_of(key)):
        return "n_parcels"
    return "bottom_screen_mm" if in_mm else known or (key if key in STATED else "")


def field_of(name: str, value: Cell) -> str | None:
    """Return the field that a value is of, where it may be one of it; otherwise a title is a title and no more."""
    text = text_of(value)
    named = name in (*IDS, "exporter", "sorter")
    if named and (not any(map(str.isalnum, text)) or is_not_recorded(text)):
        return None  # ``Exporter: ______``
    if name == "certificate_no" and len([*filter(_LONG_NUMBER.search, PARTS.split(text))]) > 1:
        return None  # ``CF 000456 / CF 000457``
    tokens = tokens_of(text)
    by_what = all_say(("size", "quality", "filler", "by_hand", "carats"), tokens) or says("by_hand", *tokens[:1])
    if name == "sorter" and by_what:
        return None  # ``Sorted by size``, ``Sorted by hand under a lamp``
    if name in ("exported_on", "value_usd"):
        return name if has_digit(text) else None
    if name in ("cleaning_state", "selection", "specials_removed"):
        return name if fold_sure(text) in condition_values(name) or condition_said(name, text) is not None else None
    if name == "n_parcels":
        return name if text.isdigit() else None
    if name == "sieve_set":
        return name if 0 < len(text) <= 80 and not has_digit(text) and not is_blank(value) else None
    if name in (*STATED, "bottom_screen_mm"):
        bare = text if name == "bottom_screen_mm" else without_unit(text)
        number = "" if isinstance(bare, Broken) else bare.replace(" ", "").replace(",", ".").lower().removesuffix("mm")
        if name == "n_stones" and not number.removesuffix(".0").isdigit():
            return None  # ``Parcel of 70 stones`` beside ``12.60 ct``
        return name if re.fullmatch(r"0*[1-9]\d*(\.\d+)?|0*\.\d+|0\.\d+", number) else None
    return name if name in (*TITLED, "parcel_id") and 0 < len(text) <= 80 else None


def parts_of_field(told: str, value: Cell, headers: Headers) -> dict[str, Cell]:
    """Return what a label says, by field: a certificate may bear the weight of its goods, ``CF000231 - 12.60 ct``."""
    text = text_of(value)
    if told == "bottom_screen_mm" and isinstance(value, str):
        return {told: _MILLIMETRES.sub("", value)}
    if told in IDS and (hit := _WITH_GOODS.fullmatch(text)) and (more := stated(hit["goods"], headers)):
        return {told: hit["name"], **more}
    if told == "sieve_set":
        known = {fold(item.name): item.name for item in headers.words.scheme.sieve_sets}
        return {told: next((known[token] for token in tokens_of(text) if token in known), text)}
    return {told: value}


def same(name: str, one: Cell, other: Cell) -> bool:
    """Say whether two cells say one thing of a field; numbers are alike as far as both are written."""
    days = [read_date(cell) for cell in (one, other)] if name == "exported_on" else []
    if len(days) == 2 and all(isinstance(day, date) for day in days):
        return days[0] == days[1]
    numbers = [read_number(cell, DecimalMarks()) for cell in (one, other)] if name in STATED else []
    said = [number for number in numbers if not isinstance(number, Broken)]
    if name not in TITLED and len(said) == 2:
        coarse = max(unit_written(cell, number) for cell, number in zip((one, other), said, strict=True))
        return abs(said[0] - said[1]) <= 0.5 * coarse + 1e-9
    return name not in (*TITLED, *IDS) or fold(text_of(one)) == fold(text_of(other))


def may_be_a_sieve(key: str, value: Cell) -> bool:
    """Say whether a whole number without millimetres may be that of a sieve: ``Bottom sieve: 3``."""
    return text_of(value).strip().isdigit() and "mm" not in tokens_of(key)


def heads(text: str, headers: Headers) -> bool:
    """Say whether what stands beside a label is no value, and the header of a column."""
    return not has_digit(text) and headers.of(text).role in _HEADS


def is_condition(key: str, told: str | None) -> bool:
    """Say whether a line below a table tells a condition of its parcel, and not who signs it."""
    return told in CONDITIONS and told != "sorter" and not holds("signed", tokens_of(key))


def anchors(key: str, value: Cell, headers: Headers) -> bool:
    """Say whether a line below a table tells what nobody signs with: lines beside it are of the parcel as well."""
    known = headers.field(key)
    if headers.names_origin(key):
        return headers.words.zone(text_of(value)) is not None
    if known == "parcel_id":
        return not says("lot", *tokens_of(key)) and ID.fullmatch(text_of(value)) is not None
    anchor = known in ("exported_on", "certificate_no", *CONDITIONS) and known != "sorter"
    return anchor and known is not None and field_of(known, value) == known
