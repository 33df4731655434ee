"""Sheets drawn at random from goods that are known: what is read is what was written, or nothing is read at all."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from kpfootprint.ingest import Upload, read
from kpfootprint.reference import ZoneTable
from kpfootprint.scheme import Scheme

SIZES = {"+9-11": 0.22, "+11-12": 0.36, "3 gr": 0.75, "4 gr": 1.02, "5-7 ct": 6.1}
ENGLISH: dict[str, list[str]] = {
    "size": ["Size", "Sieve", "Size class"],
    "colour": ["Colour", "Clr", "Col."],
    "pieces": ["Pcs", "Stones", "No. of stones", "Qty"],
    "carats": ["Cts", "Carats", "Weight (ct)"],
    "total": ["Total", "TOTAL", "Grand total", "Sum"],
    "subtotal": ["Subtotal", "Sub-total"],
    "mean": ["Average", "Avg"],
    "classes": ["white", "cape", "brown", "grey", "yellow"],
}
FRENCH: dict[str, list[str]] = {
    "size": ["Tamis", "Calibre", "Taille"],
    "colour": ["Couleur", "Coul.", "Teinte"],
    "pieces": ["Nbre de pierres", "Pierres", "Nb", "Quantité"],
    "carats": ["Poids (ct)", "Carats", "Pds cts"],
    "total": ["Total", "TOTAL GÉNÉRAL", "Totaux", "Somme"],
    "subtotal": ["Sous-total", "S/total"],
    "mean": ["Moyenne", "Moy."],
    "classes": ["incolore", "cape", "brun", "gris", "jaune"],
}
SOME = [12, pytest.param(60, marks=pytest.mark.slow)]
Rows = list[list[Any]]


@dataclass
class Hand:
    """Someone who writes sheets: a language, its decimal mark and separator, and chance."""

    chance: random.Random

    def __post_init__(self) -> None:
        french = self.chance.random() < 0.5
        self.words, self.comma = (FRENCH, True) if french else (ENGLISH, False)
        self.separator = self.chance.choice(";\t" if french else ",;\t")

    def word(self, name: str) -> str:
        return self.chance.choice(self.words[name])

    def often(self, share: float) -> bool:
        return self.chance.random() < share

    def number(self, value: float) -> str:
        text = f"{value:.2f}"
        return text.replace(".", ",") if self.comma else text

    def goods(self) -> dict[str, dict[str, tuple[int, float]]]:
        """Draw pieces and carats by size and colour."""
        colours = self.chance.sample(self.words["classes"], self.chance.randint(2, 4))
        sizes = self.chance.sample(list(SIZES), self.chance.randint(2, 5))
        drawn: dict[str, dict[str, tuple[int, float]]] = {}
        for size in sizes:
            counts = {colour: self.chance.randint(1, 60) for colour in colours}
            drawn[size] = {
                colour: (n, round(sum(SIZES[size] * self.chance.uniform(0.93, 1.07) for _ in range(n)), 2))
                for colour, n in counts.items()
            }
        return drawn


def added(cells: Any) -> tuple[int, float]:
    pieces, carats = zip(*cells, strict=True)
    return sum(pieces), round(sum(carats), 2)


def long(hand: Hand) -> tuple[Rows, int, float]:
    """Write a row for each size and colour, with totals and subtotals of all kinds."""
    goods = hand.goods()
    head = [hand.word("size"), hand.word("colour"), hand.word("pieces"), hand.word("carats")]
    subtotal = hand.chance.choice(["none", "before", "after", "blank"])
    body: Rows = []
    for size, cells in goods.items():
        body += [[size, colour, n, hand.number(ct)] for colour, (n, ct) in cells.items()]
        label = {"before": hand.word("subtotal"), "after": f"{size} total", "blank": ""}.get(subtotal)
        if label is not None:
            n, ct = added(cells.values())
            body.append([label, "", n, hand.number(ct)])
    n, ct = added([cell for cells in goods.values() for cell in cells.values()])
    total = [hand.word("total"), "", n, hand.number(ct)]
    where = hand.chance.choice(["none", "top", "foot", "blank"])
    body = [total, *body] if where == "top" and subtotal != "blank" else body
    body += [["", *total[1:]]] if where == "blank" else [total] if where == "foot" else []
    if hand.often(0.2):
        body.insert(hand.chance.randrange(1, len(body)), list(head))
    if hand.often(0.2):
        body.insert(hand.chance.randrange(1, len(body)), ["Page 2", "", "", ""])
    return [head, *body], n, ct


def wide(hand: Hand) -> tuple[Rows, int, float]:
    """Write a row for each size, a pair of columns for each colour, perhaps on two lines, and a total of each."""
    goods = hand.goods()
    colours = list(next(iter(goods.values())))
    pieces, carats = hand.chance.choice(["pcs", "stones"] if hand.words is ENGLISH else ["pierres", "nb"]), "cts"
    if hand.often(0.5):
        rows: Rows = [[hand.word("size"), *(text for colour in colours for text in (colour, ""))]]
        rows.append(["", *(pieces, carats) * len(colours)])
    else:
        pairs = (f"{colour} {measure}" for colour in colours for measure in (pieces, carats))
        rows = [[hand.word("size"), *pairs]]
    for size, cells in goods.items():
        rows.append([size, *(text for n, ct in cells.values() for text in (n, hand.number(ct)))])
    if hand.often(0.6):
        sums = [added([cells[colour] for cells in goods.values()]) for colour in colours]
        rows.append([hand.word("total"), *(text for n, ct in sums for text in (n, hand.number(ct)))])
    return rows, *added([cell for cells in goods.values() for cell in cells.values()])


def listed(hand: Hand) -> tuple[Rows, int, float]:
    """Write a row for each stone, numbered or not, with a total or a mean above or below."""
    weights = [round(hand.chance.lognormvariate(-1.2, 0.7) + 0.02, 2) for _ in range(hand.chance.randint(3, 40))]
    numbered = hand.often(0.5)
    rows: Rows = [[*(["N°"] if numbered else []), hand.word("carats"), hand.word("colour")]]
    rows += [[*([at] if numbered else []), hand.number(w), hand.word("classes")] for at, w in enumerate(weights, 1)]
    total = round(sum(weights), 2)
    said = {
        "total": (hand.word("total"), total),
        "blank": ("", total),
        "mean": (hand.word("mean"), total / len(weights)),
    }
    kind = hand.chance.choice(["none", "top", *said])
    if kind != "none":
        label, value = said["total" if kind == "top" else kind]
        row = [label, hand.number(value), ""] if numbered else [hand.number(value), label]
        rows.insert(1 if kind == "top" else len(rows), row)
    return rows, len(weights), total


def headed(hand: Hand) -> tuple[Rows, int, float]:
    """Write a row for each size below the colour that heads it, with totals or without."""
    goods = hand.goods()
    colours = list(next(iter(goods.values())))
    rows: Rows = [[hand.word("size"), hand.word("pieces"), hand.word("carats")]]
    subtotal, quality = hand.often(0.5), hand.often(0.3)
    for colour in colours:
        cells = [(size, goods[size][colour]) for size in goods]
        rows.append([f"{colour} quality" if quality else colour.upper(), "", ""])
        rows += [[size, n, hand.number(ct)] for size, (n, ct) in cells]
        if subtotal:
            n, ct = added([cell for _, cell in cells])
            rows.append([hand.word("subtotal"), n, hand.number(ct)])
    n, ct = added([cell for cells in goods.values() for cell in cells.values()])
    if hand.often(0.7):
        rows.append([hand.word("total"), n, hand.number(ct)])
    return rows, n, ct


def described(hand: Hand) -> tuple[Rows, int, float]:
    """Write a price book whose descriptions name size and colour, under whatever header."""
    goods = hand.goods()
    head = hand.chance.choice(["Description", "Assort", "Model", "Article", "Désignation", "Lot name", "Type"])
    rows: Rows = [[head, hand.word("pieces"), hand.word("carats"), "Avg", "$/ct"]]
    for size, cells in goods.items():
        for colour, (n, ct) in cells.items():
            text = f"{size} {colour}" if hand.often(0.5) else f"{colour.capitalize()} {size}"
            rows.append([text, n, hand.number(ct), hand.number(ct / n), hand.number(hand.chance.uniform(20, 400))])
    n, ct = added([cell for cells in goods.values() for cell in cells.values()])
    rows.append([hand.word("total"), n, hand.number(ct), hand.number(ct / n), ""])
    return rows, n, ct


def disturbed(hand: Hand, rows: Rows, n_stones: int, carats: float) -> Rows:
    """Add what stands around a table, and is none of its rows: titles, notes, summaries, blank columns, pages."""
    head = next(at for at, row in enumerate(rows) if len(row) > 1)
    width = max(map(len, rows))
    rows = [[*row, *[""] * (width - len(row))] for row in rows]
    if hand.often(0.2):
        rows = [[*row, "", "seen by J." if at == head else ""] for at, row in enumerate(rows)]
    if hand.often(0.2):
        said: dict[int, list[Any]] = {
            head + 3: [f"Total {hand.word('carats')}", hand.number(carats)],
            head + 4: [hand.word("pieces"), n_stones],
        }
        rows = [[*row, "", *said.get(at, ["", ""])] for at, row in enumerate(rows)]
    if hand.often(0.2):
        rows = [["", *row] for row in rows]
    if hand.often(0.2):
        rows = [[f"Lot 7, {n_stones} stones, {hand.number(carats)} ct"], *rows]
    if hand.often(0.2):
        rows = [[hand.chance.choice(["Exporter: A", "Exportateur : A", "Zone: Nola", "Bangui"])], *rows]
    if hand.often(0.2):
        rows = [[], *rows, [], []]
    if hand.often(0.2):
        rows.insert(hand.chance.randrange(len(rows) - 2, len(rows)), ["- 2 -" if hand.often(0.2) else "Page 1/1"])
    return rows


@pytest.mark.parametrize("n", SOME)
@pytest.mark.parametrize("draw", [headed, described, long, wide, listed])
def test_what_stands_around_a_table_changes_nothing(
    draw: Callable[[Hand], tuple[Rows, int, float]], n: int, scheme: Scheme, zone_table: ZoneTable
) -> None:
    refused = 0
    for seed in range(n):
        hand = Hand(random.Random(1000 + seed))
        rows, n_stones, carats = draw(hand)
        rows = disturbed(hand, rows, n_stones, carats)
        quoted = [[f'"{cell}"' if hand.separator in str(cell) else str(cell) for cell in row] for row in rows]
        text = "".join(hand.separator.join(row) + "\n" for row in quoted)
        data = text.encode(hand.chance.choice(["utf-8", "utf-16"]))
        found = read(Upload("s.csv", data), scheme, zone_table, one=True)
        refused += bool(found.problems)
        for parcel in found.parcels:
            assert parcel.n_stones == n_stones, text
            assert parcel.carats == pytest.approx(carats, abs=0.006), text
    assert refused <= 2


@pytest.mark.parametrize("n", SOME)
@pytest.mark.parametrize("draw", [long, wide, listed, headed, described])
def test_what_is_read_is_what_was_written(
    draw: Callable[[Hand], tuple[Rows, int, float]], n: int, scheme: Scheme, zone_table: ZoneTable
) -> None:
    refused = 0
    for seed in range(n):
        hand = Hand(random.Random(seed))
        rows, n_stones, carats = draw(hand)
        rows = [["Comptoir A, 12/05/2019"], *rows] if hand.often(0.2) else rows
        text = "".join(hand.separator.join(map(str, row)) + "\n" for row in rows)
        found = read(Upload("sheet.csv", text.encode()), scheme, zone_table, one=True)
        refused += bool(found.problems)
        for parcel in found.parcels:
            assert parcel.n_stones == n_stones, text
            assert parcel.carats == pytest.approx(carats, abs=0.006), text
    assert refused <= 3
