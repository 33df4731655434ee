"""The sheets of the examples, laid out otherwise: the same parcel is read, or none; never another one."""

from __future__ import annotations

import csv
import io
import json
import random
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpfootprint.ingest import Upload, parcel_to_json, read
from kpfootprint.parcel import Parcel
from kpfootprint.reference import ZoneTable
from kpfootprint.scheme import Scheme
from tests.every import every
from tests.ingest.making import ods_of
from tests.laws import tried

Grid = list[list[str]]
Change = Callable[[Grid, random.Random], Grid]

SHEETS = ("true_berberati.csv", "false_berberati.csv", "no_declaration.csv")
WORDS: dict[str, dict[str, list[str]]] = {
    "en": {
        "weight_ct": ["Weight (ct)", "Cts", "Carats", "Wt"],
        "colour": ["Color", "Clr", "Colour"],
        "morphology": ["Shape", "Model", "Crystal form"],
        "total": ["Total", "GRAND TOTAL", "Sum"],
        "sub": ["Subtotal", "Sub-total"],
        "size_class": ["Size", "Sieve", "Size class"],
        "n_stones": ["Pcs", "Stones", "No. of stones"],
        "colourless": ["white"],
        "dodecahedron": ["round"],
        "fragment": ["cleavage", "broken"],
    },
    "fr": {
        "weight_ct": ["Poids (ct)", "Poids", "Carats"],
        "colour": ["Couleur", "Teinte"],
        "morphology": ["Forme", "Morphologie"],
        "total": ["Total", "TOTAL GÉNÉRAL", "Somme"],
        "sub": ["Sous-total"],
        "size_class": ["Tamis", "Taille", "Calibre"],
        "n_stones": ["Nbre de pierres", "Pierres", "Pièces"],
        "colourless": ["incolore", "blanc"],
        "brown": ["brun", "brune"],
        "dodecahedron": ["rond", "dodécaèdre"],
        "fragment": ["éclat", "clivage"],
    },
    "pt": {
        "weight_ct": ["Peso (ct)", "Quilates"],
        "colour": ["Cor"],
        "morphology": ["Forma"],
        "total": ["Total geral", "Soma", "Totais"],
        "sub": ["Subtotal"],
        "size_class": ["Peneira", "Crivo", "Tamanho"],
        "n_stones": ["Pedras", "Quantidade"],
        "colourless": ["incolor", "branco"],
        "brown": ["castanho"],
        "octahedron": ["octaedro"],
        "fragment": ["clivagem", "fragmento"],
    },
    "ru": {
        "weight_ct": ["Вес, ct", "Карат"],
        "colour": ["Цвет"],
        "morphology": ["Форма"],
        "total": ["Итого", "ВСЕГО"],
        "sub": ["Подытог"],
        "size_class": ["Размер", "Ситовой класс"],
        "n_stones": ["Камни", "Количество"],
        "colourless": ["бесцветный", "белый"],
        "brown": ["коричневый"],
        "octahedron": ["октаэдр"],
        "fragment": ["обломок"],
    },
}
SIEVES = {"+7": 0.115, "+9": 0.175, "+11": 0.315, "+12": 0.525, "+13": 0.715}


def read_example(examples: Path, name: str, chance: random.Random) -> Grid:
    """Return the header and some stones of an example, of weights that lie in no doubt between two sieves."""
    rows = list(csv.reader((examples / name).read_text(encoding="utf-8").splitlines()))
    body = [row for row in rows[1:] if 0.12 <= float(row[0]) < 1.2]
    return [rows[0], *chance.sample(body, chance.randint(6, 40))]


def counted(grid: Grid, chance: random.Random) -> Grid:
    """Return stones by size, colour and shape, as a sorting sheet has them."""
    cells: dict[tuple[str, str, str], list[float]] = {}
    for weight, colour, shape in grid[1:]:
        size = max((name for name, low in SIEVES.items() if low <= float(weight)), key=SIEVES.__getitem__, default="")
        if size:
            cells.setdefault((size, colour, shape), []).append(float(weight))
    rows = [[*key, str(len(found)), f"{sum(found):.2f}"] for key, found in cells.items()]
    return [["size_class", "colour", "morphology", "n_stones", "weight_ct"], *sorted(rows, key=lambda row: row[0])]


def crossed(grid: Grid, chance: random.Random) -> Grid:
    """Return numbers of stones, sizes by colours, on one line of headers or on two."""
    counts: Counter[tuple[str, str]] = Counter()
    carats: Counter[tuple[str, str]] = Counter()
    for size, colour, _, n, ct in counted(grid, chance)[1:]:
        counts[size, colour] += int(n)
        carats[size, colour] += round(100 * float(ct))
    sizes, colours = (list(dict.fromkeys(key[at] for key in counts)) for at in (0, 1))
    kind = chance.choice(["plain", "total", "pairs", "above"])
    numbers = {size: [str(counts[size, colour]) for colour in colours] for size in sizes}
    if kind == "pairs":
        rows = [["size_class", *(cell for colour in colours for cell in (colour, ""))]]
        rows += [["", *(("n_stones", "weight_ct") * len(colours))]]
        pairs = {s: [t for c in colours for t in (str(counts[s, c]), f"{carats[s, c] / 100:.2f}")] for s in sizes}
        return [*rows, *([size, *pairs[size]] for size in sizes)]
    head = [["size_class", *colours]]
    if kind == "above":
        head = [["size_class", "colour", *[""] * (len(colours) - 1)], ["", *colours]]
    rows = [*head, *([size, *numbers[size]] for size in sizes)]
    if kind == "total":
        rows = [[*row, "total" if at == 0 else str(sum(map(int, row[1:])))] for at, row in enumerate(rows)]
        rows.append(["total", *(str(sum(int(row[at]) for row in rows[1:])) for at in range(1, len(rows[0])))])
    return rows


# Changes that leave a sheet the same to whoever reads it.


def _sums(grid: Grid, rows: Grid) -> list[str] | None:
    """Return a row of the sums of some rows, or None where the sheet has no column for them."""
    head = grid[0]
    if "weight_ct" not in head or "total" in head or not head[0]:
        return None
    made = ["" for _ in head]
    for at, name in enumerate(head):
        if name == "weight_ct":
            made[at] = f"{sum(float(row[at]) for row in rows):.2f}"
        elif name == "n_stones":
            made[at] = str(sum(int(row[at]) for row in rows))
    return made


def _is_list(grid: Grid) -> bool:
    return "weight_ct" in grid[0] and {"colour", "morphology"} <= {*grid[0]}


def with_total(grid: Grid, chance: random.Random) -> Grid:
    sums = _sums(grid, grid[1:]) if _is_list(grid) else None
    if sums is None:
        return grid
    free = [at for at, cell in enumerate(sums) if not cell]
    sums[chance.choice(free)] = "total"
    return [*grid, sums] if chance.random() < 0.8 else [grid[0], sums, *grid[1:]]


def with_subtotals(grid: Grid, chance: random.Random) -> Grid:
    if not _is_list(grid) or any("total" in row for row in grid):
        return grid
    cut = chance.randint(2, len(grid) - 3) if len(grid) > 5 else 0
    parts = [grid[1 : cut + 1], grid[cut + 1 :]] if cut else []
    made = [grid[0]]
    for part in parts:
        sums = _sums(grid, part)
        assert sums is not None
        sums[sums.index("")] = "sub"
        made += [*part, sums]
    return made if parts else grid


def with_titles(grid: Grid, chance: random.Random) -> Grid:
    titles = [["Sorting sheet no 12"], ["Fiche de tri n° 114"], ["Bangui, 12/03/2019"], ["Exporter", "A"], [""]]
    return [*chance.sample(titles, chance.randint(1, 3)), *grid]


def signed(grid: Grid, chance: random.Random) -> Grid:
    lines = [["Signed: J. Koroma"], ["Fait à Bangui, le 12/03/2019"], ["Date: 12 March 2019"], [""]]
    return [*grid, [""], *chance.sample(lines, chance.randint(1, 3))]


def reordered(grid: Grid, chance: random.Random) -> Grid:
    if not _is_list(grid):
        return grid
    order = list(range(len(grid[0])))
    chance.shuffle(order)
    return [[row[at] if at < len(row) else "" for at in order] for row in grid]


def shuffled(grid: Grid, chance: random.Random) -> Grid:
    if not _is_list(grid) or any({"total", "sub"} & {*row} for row in grid):
        return grid
    return [grid[0], *chance.sample(grid[1:], len(grid) - 1)]


def numbered(grid: Grid, chance: random.Random) -> Grid:
    if not _is_list(grid) or any({"total", "sub"} & {*row} for row in grid):
        return grid
    head = chance.choice(["No", "N°", "#", "Stone no"])
    return [[head if at == 0 else str(at), *row] for at, row in enumerate(grid)]


def remarked(grid: Grid, chance: random.Random) -> Grid:
    said = ["ok", "green skin", "chip", "naat?"]
    return [[*row, "Remarks" if row is grid[0] else chance.choice(said)] for row in grid] if _is_list(grid) else grid


def gapped(grid: Grid, chance: random.Random) -> Grid:
    at = chance.randint(0, 1) * len(grid[0])
    return [[*row[:at], "", *row[at:]] for row in grid]


def headed_again(grid: Grid, chance: random.Random) -> Grid:
    if not _is_list(grid) or len(grid) < 5:
        return grid
    at = chance.randint(3, len(grid) - 1)
    return [*grid[:at], *([["Page 1"]] if chance.random() < 0.5 else []), grid[0], *grid[at:]]


def with_summary(grid: Grid, chance: random.Random) -> Grid:
    if not _is_list(grid) or any({"total", "sub", "idem", "do.", "''", ""} & {*row} for row in grid):
        return grid
    colour = grid[0].index("colour")
    n = grid[0].index("n_stones") if "n_stones" in grid[0] else None
    counts: Counter[str] = Counter()
    for row in (row for row in grid[1:] if row != grid[0] and len(row) > 1):
        counts[row[colour]] += 1 if n is None else int(row[n])
    block = [["colour", "n_stones"], *([name, str(count)] for name, count in counts.items())]
    where = chance.choice(["above", "beside", "below"])
    if where == "above":
        return [*block, [""], *grid]
    if where == "below":
        return [*grid, [""], *block]
    start = chance.randint(0, max(len(grid) - len(block), 0))
    width = len(grid[0])
    made = [[*row, *[""] * (width - len(row))] for row in grid]
    made += [[""] * width for _ in range(start + len(block) - len(made))]
    for at, extra in enumerate(block):
        made[start + at] += ["", *extra]
    return made


def folded(grid: Grid, chance: random.Random) -> Grid:
    """Lay the second half of a list beside the first."""
    if not _is_list(grid) or any({"total", "sub"} & {*row} for row in grid) or len(grid) < 5:
        return grid
    body, gap = grid[1:], chance.choice([[], [""]])
    half = (len(body) + 1) // 2
    blank = [""] * len(grid[0])
    right = [*body[half:], *[blank] * (2 * half - len(body))]
    return [[*grid[0], *gap, *grid[0]], *([*one, *gap, *two] for one, two in zip(body[:half], right, strict=True))]


def as_above(grid: Grid, chance: random.Random) -> Grid:
    """Write ditto marks for a class that is that of the row above; on a sorting sheet, nothing perhaps."""
    if not _is_list(grid):
        return grid
    mark, name = chance.choice(["idem", "do.", "''"]), chance.choice(["colour", "size_class"])
    mark = "" if "size_class" in grid[0] and chance.random() < 0.5 else mark
    if name not in grid[0]:
        return grid
    at, made = grid[0].index(name), [list(row) for row in grid]
    for number in range(2, len(grid)):
        if grid[number][at] == grid[number - 1][at] and grid[number][at]:
            made[number][at] = mark
    return made


CHANGES: Mapping[str, Change] = {
    change.__name__: change
    for change in (
        *(shuffled, as_above, numbered, remarked, reordered, with_total, with_subtotals, folded, headed_again),
        *(with_summary, gapped, signed, with_titles),
    )
}
"""In the order in which they are made: what frames a sheet comes last."""


# Writing.


def in_words(grid: Grid, language: str, chance: random.Random) -> Grid:
    """Return a sheet in the words of a language, a header always in the same."""
    chosen = {name: chance.choice(found) for name, found in WORDS[language].items()}
    return [[chosen.get(cell, cell) for cell in row] for row in grid]


def written(grid: Grid, chance: random.Random) -> Upload:
    """Return a file of a sheet: CSV in some dialect, or a workbook, its classes perhaps merged over their rows."""
    width = max(map(len, grid))
    grid = [[*row, *[""] * (width - len(row))] for row in grid]
    if chance.random() < 0.15:
        return Upload("sheet.ods", ods_of([[_typed(cell) for cell in row] for row in grid]))
    if chance.random() < 0.2:
        book = openpyxl.Workbook()
        (sheet,) = book.worksheets
        for row in grid:
            sheet.append([_typed(cell) for cell in row])
        made = io.BytesIO()
        book.save(made)
        return Upload("sheet.xlsx", made.getvalue())
    separator = chance.choice(",;\t|")
    if separator != "," and chance.random() < 0.5:
        grid = [[cell.replace(".", ",") if _is_decimal(cell) else cell for cell in row] for row in grid]
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator=chance.choice(["\n", "\r\n"])).writerows(grid)
    return Upload("sheet.csv", text.getvalue().encode(chance.choice(["utf-8", "utf-8-sig", "utf-16"])))


def _is_decimal(cell: str) -> bool:
    return "." in cell and cell.replace(".", "").isdigit()


def _typed(cell: str) -> object:
    return float(cell) if _is_decimal(cell) else int(cell) if cell.isdigit() else cell or None


def goods(parcel: Parcel, scheme: Scheme) -> dict[str, Any]:
    """Return what was read of a parcel, whatever the order of its rows and however its cells are split."""
    document = parcel_to_json(parcel, scheme)
    stones = document.get("stones")
    if stones:
        return {"stones": Counter(zip(*stones.values(), strict=True))}
    cells: Counter[tuple[Any, ...]] = Counter()
    weighed: Counter[tuple[Any, ...]] = Counter()
    for item in document["counts"]:
        key = tuple(item.get(name) for name in ("size_class", "colour", "morphology"))
        cells[key] += item.get("n_stones") or 0
        weighed[key] += round(100 * (item.get("carats") or 0.0))
    kept = {key: n for key, n in cells.items() if n}
    return {"counts": kept, "carats": {key: weighed[key] for key in kept}}


def said_of(upload: Upload, scheme: Scheme, zone_table: ZoneTable) -> tuple[list[Any], list[str]]:
    found = read(upload, scheme, zone_table, one=True)
    other = [(item.declarations, item.conditions.sorter, item.exported_on) for item in found.parcels]
    assert all(said == ((), None, None) for said in other)
    return [goods(item, scheme) for item in found.parcels], [problem.code for problem in found.problems]


FORMS: Mapping[str, Change] = {"stones": lambda grid, _: grid, "counts": counted, "cross": crossed}


def tried_on(examples: Path, seed: int, names: list[str], scheme: Scheme, zone_table: ZoneTable) -> tuple[Any, ...]:
    """Return what is read of a sheet before and after some changes, and what is told."""
    chance = random.Random(seed)
    form = chance.choice(list(FORMS))
    grid = FORMS[form](read_example(examples, chance.choice(SHEETS), chance), chance)
    plain = "\n".join(",".join(row) for row in in_words(grid, "en", random.Random(0))) + "\n"
    before, told = said_of(Upload("plain.csv", plain.encode()), scheme, zone_table)
    if told:  # a last row may be the sum of the others by chance
        return [], [], [], None
    for name in (name for name in CHANGES if name in names):
        grid = CHANGES[name](grid, chance)
    upload = written(in_words(grid, chance.choice(list(WORDS)), chance), chance)
    return (before, *said_of(upload, scheme, zone_table), upload)


@pytest.fixture(scope="module")
def examples() -> Path:
    return Path(__file__).parents[2] / "examples"


@pytest.mark.slow
@tried(250)
@given(seed=st.integers(0, 2**32), names=st.lists(st.sampled_from(list(CHANGES)), max_size=4))
def test_a_sheet_laid_out_otherwise_is_the_same_parcel_or_none(
    seed: int, names: list[str], examples: Path, scheme: Scheme, zone_table: ZoneTable
) -> None:
    before, after, told, upload = tried_on(examples, seed, names, scheme, zone_table)
    assert after == before or (after == [] and told), json.dumps([*names, upload.name, str(upload.data[:3000])])


@pytest.mark.slow
@every("name", [name for name in CHANGES if name not in ("folded", "as_above")])
def test_one_change_alone_is_seldom_refused(name: str, examples: Path, scheme: Scheme, zone_table: ZoneTable) -> None:
    refused = [told for seed in range(6) if (told := tried_on(examples, seed, [name], scheme, zone_table)[2])]
    assert len(refused) <= 1, refused
