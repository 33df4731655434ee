"""What of a table could be read in two ways, its rows or the whole: it is asked about."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from kpfootprint.ingest.columns.meanings import Layout
from kpfootprint.ingest.columns.origins import zones_within
from kpfootprint.ingest.files.workbook import is_book
from kpfootprint.ingest.names.headers import Headers
from kpfootprint.ingest.names.inquiry import CARATS, WHOLE
from kpfootprint.ingest.names.size_labels import Span
from kpfootprint.ingest.names.statements import amounts_besides, amounts_in
from kpfootprint.ingest.problems import Broken, listed
from kpfootprint.ingest.raw.cells import Odd, has_digit, is_blank, is_number, read_yes_or_no, text_of
from kpfootprint.ingest.raw.tables import Column, KnownTable, RawTable
from kpfootprint.ingest.sheets.counted_twice import ask_about_repeats
from kpfootprint.ingest.words import all_say, holds, plain, remark_of, says, tokens_of, unit_words, without_measure

_NUMBERS = re.compile(
    r"\W*([^\W\d]*)(\d{1,6})\s*(?:[/&+,;]\s*\1\d{1,6}\s*)*(?:[-–/&+,;]|to|à|a|bis|et|and)\s*\1(\d{1,6})\W*",
    re.IGNORECASE,
)

_UNITS = frozenset(unit_words("carats", "pieces"))
"""Units of what a remark says was taken out: ``less 2 pcs 0.44 ct returned``."""
_NUMBERED = re.compile(r"['#№]*\s*\d+\s*[.):°'/-]?")
_MARKED = re.compile(r"[^\w\s]*\s*[x×]?\s*\d{1,6}\s*[x×]{0,3}\s*[^\w\s]*", re.IGNORECASE)


_LIGHTEST_MEAN, _HEAVIEST_MEAN = 0.004, 20.0
"""Carats between which the mean stone of a class lies."""

_HEAVY_STONE = 20.0
"""Carats that a number of rows without a name hardly gives for one stone."""

_LIGHT = 2.0
"""Carats below which all weights of a cross-tab are rather those of stones."""

_FEW = 5
"""Stones of which a mean says something."""


_PIECES = re.compile(r"(?:.*\s)?\d+\s+p\.?", re.IGNORECASE)
"""Several stones where the number of one should stand: ``Vrac 120 p``."""

_LEGEND = re.compile(r"[^\W\d]\s*[=:]\s*[^\W\d]")
"""What a colour or a mark stands for: ``red = removed``."""


OF_LINES = ("part_in_title", "stones_besides")
"""What is asked about lines around a table, whatever its rows."""

_KEPT = ("cancelled", "keep")
"""The answer that rows which seem to be taken out are of the parcel."""

_LEAST_CT = 0.004
"""What the smallest stones of a parcel may weigh in the mean."""

_DAY = re.compile(r"\d+[/-]\d+")

# Rows.


def ask_about_numbers(sheet: Layout) -> None:
    """Tell the rows of a list whose number is a word, or names several stones: such a row may be none, or several."""
    for at in sheet.places("row"):
        column, n_rows = sheet.column(at), sheet.n_rows
        cells = {code: cell for code, cell in column.texts() if not is_blank(cell)}
        words = np.flatnonzero(column.rows_with(code for code, cell in cells.items() if _is_more_word(cell)))
        spans = {code: (int(hit[2]), int(hit[3])) for code, c in cells.items() if (hit := _NUMBERS.fullmatch(c))}
        spans = {code: (low, high) for code, (low, high) in spans.items() if 0 < high - low < 1000}
        distinct = enumerate(() if column.mostly_distinct else column.cells)
        days = [code for code, cell in distinct if isinstance(cell, date)]  # what is made of ``2-5``
        kinds = {code: [amount.kind for amount in amounts_in(plain(cell))] for code, cell in cells.items()}
        counted = [code for code, cell in cells.items() if kinds[code] == ["n_stones"] or _PIECES.fullmatch(cell)]
        several = np.flatnonzero(column.rows_with([*spans, *days, *counted]))
        others = [place for place in range(len(sheet.raw.columns)) if place not in sheet.places("carats")]
        if not column.mostly_distinct:  # weights below a list, and nothing else
            words = np.union1d(words, np.flatnonzero(sheet.raw.blank(others)))
        ends = [spans.get(int(column.codes[row]), (0, 0)) for row in several.tolist()]
        chained = all(low == end + 1 for (_, end), (low, _) in pairwise(ends)) and len(ends) == n_rows
        for code, rows, sure in (("word_for_number", words, False), ("number_of_several", several, chained)):
            if sure or 2 * len(rows) <= n_rows:
                sheet.tell_rows(code, at, rows)


def _is_more_word(text: str) -> bool:
    """Say whether a text is rather words than a number with letters to it: ``Balance from page 1``, not ``12 bis``."""
    letters, digits = (sum(map(kind, text)) for kind in (str.isalpha, str.isdigit))
    if digits == 0 or (letters > 4 and letters > 2 * digits):
        return True
    return text[:1].isalpha() and holds("example", tokens_of(text)[:2])


def ask_about_cancelled(sheet: Layout) -> None:
    """Ask whether a row is no longer of the parcel: a remark or a comment says so, or its number is crossed out."""
    if sheet.inquiry.chose(_KEPT):
        return
    for line, text in sheet.raw.comments:
        if _takes_out(text):
            sheet.inquiry.tell("row_cancelled", sheet.raw.name, line, None, text, label=text, choices=[_KEPT])
    for at in sheet.places("other", "unknown", "description", "stones_or_carats", "row"):
        column, numbered = sheet.column(at), sheet.meanings[at].role == "row"
        of_parcel = sheet.headers.field(column.header)
        if len(column.cells) > 10_000 or of_parcel == "specials_removed":
            continue
        struck = [c for c, cell in enumerate(column.cells) if isinstance(cell, Odd) and cell.code == "struck_cell"]
        sheet.tell_rows("struck_cell", at, column.rows_with(struck if numbered else ()))
        is_out = _is_crossed if numbered else _is_cancelled
        short = [(code, cell) for code, cell in column.texts() if not cell[60:]]
        hits = [code for code, cell in short if is_out(cell)]
        if sheet.meanings[at].role == "other":
            from_elsewhere = [code for code, cell in short if zones_within(cell, sheet.headers)]
            hits += from_elsewhere if 2 * column.rows_with(from_elsewhere).sum() < sheet.n_rows else []
        rows = np.flatnonzero(column.rows_with(hits)) if hits else _said_out(column)
        for row in rows[:20].tolist() if not numbered or 2 * len(rows) <= sheet.n_rows else ():
            label = text_of(column.at(row)) if hits else f"{column.header}: {text_of(column.at(row))}"
            sheet.tell("row_cancelled", at, row, label=label, choices=[_KEPT])


def _takes_out(comment: str) -> bool:
    """Say whether a comment may take the row of its cell out; ``wrong, should be 0.45`` does not."""
    return _is_cancelled(comment) and not has_digit(_DAY.sub("", comment))


def _is_cancelled(text: str) -> bool:
    tokens = [token for token in tokens_of(text) if not token.isdigit() and token not in _UNITS]
    said = holds("cancelled", tokens) or says("cancelled_alone", " ".join(tokens)) or text.strip() in ("✗", "✘", "❌")
    return len(tokens) <= 5 and said


def _is_crossed(text: str) -> bool:
    """Say whether the number of a row bears a mark that is none of numbers: ``13 x``, ``-13-``, ``13*``."""
    return _MARKED.fullmatch(text.strip()) is not None and _NUMBERED.fullmatch(text.strip()) is None


def _said_out(column: Column) -> NDArray[np.intp]:
    """Return rows that a column of yes and no says are not of the parcel: ``Kept: no``, ``Rejected: x``."""
    tokens = tokens_of(column.header)
    if says("standing", *tokens):
        return _standing_out(column)
    inside = holds("included", tokens)
    asked = inside or holds("apart", tokens) or _is_cancelled(column.header)
    used: list[int] = np.unique(column.codes).tolist() if asked else []
    cells = {code: column.cells[code] for code in used if len(used) <= 4}
    said = {code: plain(text_of(cell)) in ("x", "✓") or read_yes_or_no(cell) for code, cell in cells.items()}
    if any(isinstance(answer, Broken) for answer in said.values()) or len({*map(bool, said.values())}) < 2:
        return np.empty(0, dtype=np.intp)
    return np.flatnonzero(column.rows_with(code for code, answer in said.items() if bool(answer) != inside))


def _standing_out(column: Column) -> NDArray[np.intp]:
    """Return the rows that do not stand as others that are of the parcel: ``retenu`` beside ``exporté``."""
    used = [code for code in np.unique(column.codes).tolist() if not is_blank(column.cells[code])]
    said = {code: tokens_of(text_of(column.cells[code])) for code in used if len(used) <= 4}
    inside = {code for code, tokens in said.items() if all_say(("included",), tokens)}
    return np.flatnonzero(column.rows_with({*used} - inside if inside else ()))


def tell_remarks(sheet: Layout) -> None:
    """Tell the remarks in brackets that are passed over behind sizes and classes; a class behind a size is none."""
    for at in sheet.places("size_class", *sheet.attributes):
        column = sheet.column(at).used()
        said = {code: remark for code, cell in column.texts() if (remark := remark_of(cell))}
        if sheet.attribute(at) is None:
            named = [code for code, remark in said.items() if any(map(sheet.headers.classes, tokens_of(remark)))]
            sheet.tell_rows("unknown_size", at, column.rows_with(named))
        if told := [*filter(None, (remark.strip(" ()") for remark in said.values()))]:
            sheet.trace.note("words_passed_over", column=column.header, words=listed(told, 12))


# Stones, lots and classes.


def ask_about_unnamed(sheet: Layout) -> None:
    """Ask what whole numbers beside carats are, where nothing else counts the stones."""
    counted = sheet.places("n_stones") or sheet.places("n_stones", "stones_or_carats", wide=True)
    if counted or not sheet.places("carats"):
        return
    if sheet.places("zone_id") and not sheet.places(*sheet.attributes):
        return
    for at in sheet.places("unknown", "stones_or_carats", "percent"):
        numbers = sheet.numbers(at)
        if sheet.meanings[at].role == "percent" and ({*"%‰"} & {*sheet.header(at)} or sheet.all_percent(at)):
            continue
        if numbers is None or not bool(np.all((numbers == np.floor(numbers)) & (numbers >= 0) & (numbers < 1e6))):
            continue
        coded = says("codes", *tokens_of(sheet.header(at)))
        if coded or not bool(np.any(numbers > 1)) or _are_too_many(sheet, at):
            continue
        if not _is_priced(sheet, at):
            sheet.ask("count_or_other", at, "n_stones", "ignore")


def _are_too_many(sheet: Layout, at: int) -> bool:
    """Say whether a column counts no stones, as each would weigh next to nothing: ``Acquired | 1931``."""
    numbers, weights = sheet.values(at), [sheet.values(place) for place in sheet.places("carats")]
    counted = np.isfinite(numbers) & (numbers > 0)
    return all(bool(np.all((weight < _LEAST_CT * numbers)[counted])) for weight in weights)


def _is_priced(sheet: Layout, at: int) -> bool:
    """Say whether a column holds the carats of each row times its price."""
    values, weights = sheet.values(at), [sheet.values(place) for place in sheet.places("carats")]
    prices = [sheet.values(place) for place in sheet.places("money", "value_usd")]
    for product in (weight * price for weight in weights for price in prices):
        known = np.isfinite(product) & np.isfinite(values)
        if known.sum() > 1 and bool(np.all(np.abs(product - values)[known] <= 0.5 + 1e-3 * values[known])):
            return True
    return False


_DECIMALS = re.compile(r"\d{2,3}")


def ask_about_decimals(sheet: Layout) -> None:
    """Tell a column that could hold the decimals of the one before it, ``6,00`` in a file parted by commas."""
    for at, (before, after) in enumerate(pairwise(sheet.raw.columns)):
        ours = sheet.meanings[at + 1].role in ("money", "value_usd", "mean", "unknown", "other", "percent")
        if at not in sheet.places("carats", "mean") or not ours or before.mostly_distinct or after.mostly_distinct:
            continue
        decimals, left = ([cell for cell in column.used().names() if cell] for column in (after, before))
        parted = all(map(_DECIMALS.fullmatch, decimals)) and len({*map(len, decimals)}) == 1
        parted = parted and any(cell.startswith("0") for cell in decimals)
        if (parted or says("hundredths", *tokens_of(after.header))) and all(map(str.isdigit, left)):
            sheet.ask("decimals_apart", at + 1, "ignore", left=before.header)


def ask_about_percents(sheet: Layout) -> None:
    """Ask about classes that are given in percent alone, so that stones would be read without them."""
    found: dict[str, list[str]] = {}
    for at in sheet.places("percent"):
        header = sheet.header(at)
        for name, _ in sheet.headers.of(without_measure(header)).classes:
            if name in sheet.attributes and name not in sheet.taken:
                found.setdefault(name, []).append(header)
    for name, texts in found.items() if sheet.choices.get("percent") != "ignore" else ():
        told = {"attribute": name, "headers": listed(texts, 8)}
        sheet.tell("percent_of_classes", None, **told, choices=[("percent", "ignore")])


_OF_NO_CLASS = {"n_stones", "carats", "mean", "money", "percent", "row", "unknown", "other"}


def is_transposed(sheet: Layout, wide: list[int]) -> bool:
    """Say whether classes stand in columns and pieces and carats in rows, and tell it."""
    if len(wide) < 2 or sheet.n_rows > 12:
        return False
    for at in range(len(sheet.raw.columns)):
        cells = sheet.cells(at)
        roles = {sheet.headers.of(cell).role for cell in cells if isinstance(cell, str) and not cell[:1].isdigit()}
        measured = roles & {"n_stones", "carats"}
        if at not in wide and measured and (roles <= _OF_NO_CLASS or len(measured) > 1):
            sheet.tell("transposed", at, header=listed(str(cell) for cell in cells))
            return True
    return False


# Whole sheets: stones counted twice, numbers that are none of stones, means in place of sums.


def ask_about_table(table: KnownTable, sheet: Layout) -> None:
    """Ask whether a table counts its stones twice, and whether its carats are sums."""
    if table.kind != "declarations":
        if not table.valuations:
            ask_about_repeats(sheet)
        _ask_about_polished(sheet)
        _ask_about_parts(sheet)
    if table.kind == "counts":
        _ask_about_means(table, sheet)
        _tell_means(sheet)
        _note_uncounted(table, sheet)


def _tell_means(sheet: Layout) -> None:
    """Tell the means of a column that are not those of their rows, where most are: carats divided by stones."""
    counts, weights = sheet.places("n_stones"), sheet.places("carats")
    for at in sheet.places("mean") if len(counts) == len(weights) == 1 else ():
        stones, carats, means = (sheet.values(place) for place in (counts[0], weights[0], at))
        with np.errstate(divide="ignore", invalid="ignore"):
            own = carats / np.where(stones > 0, stones, np.nan)
        wrong = np.flatnonzero(np.abs(own - means) > 0.0051 + 0.02 * means)
        if 2 * len(wrong) <= np.isfinite(own - means).sum():
            for row in wrong[:20].tolist():
                sheet.tell("mean_disagrees", at, row, expected=f"{means[row]:g}", found=f"{own[row]:.3g}")


def _note_uncounted(table: KnownTable, sheet: Layout) -> None:
    """Note the rows of carats whose stones were not counted, where those of others were."""
    if table.typed or not {"n_stones", "carats"} <= {*table.columns} or any(item.wide for item in sheet.meanings):
        return
    blank, carats = table.columns["n_stones"].blank(), table.values("carats")
    rows = np.flatnonzero(blank & (carats > 0)).tolist()
    if 0 < len(rows) < table.n_rows and not blank.all():
        sheet.trace.note("stones_uncounted", rows=listed((str(table.line(row)) for row in rows), 12))


def _ask_about_polished(sheet: Layout) -> None:
    """Tell a title that names polished stones, or columns that such stones alone have."""
    headers = [column.header for column in sheet.raw.columns if says("of_polished", *tokens_of(column.header))]
    said = [", ".join(headers)] if len(headers) > 1 else []
    lines = [*_name_of_sheet(sheet.raw), *(text for _, text in sheet.lines_around() if ":" not in text)]
    sizes = [text for text in lines if text.isascii() and sheet.headers.of(text).role == "size_class"]  # ``Tailles``
    said += [text for text in lines if text not in sizes and says("polished", *tokens_of(text))]
    for text in said[:1] if not any(says("rough", *tokens_of(text)) for text in said) else ():
        sheet.tell("polished_goods", None, said=text)


def _ask_about_parts(sheet: Layout) -> None:
    """Ask whether the rows are the whole parcel, where a line speaks of a sample, of estimates, or of other stones.

    The name of a workbook's sheet is such a line, and so are remarks beside the classes of a sorting sheet.
    """
    if sheet.inquiry.chose(WHOLE):
        return
    named = [item.header for item, said in zip(sheet.raw.columns, sheet.meanings, strict=True) if said.part != "sample"]
    heads = [header.partition("(")[2].strip(" )") for header in named]  # ``Sieve (sample only)``
    lines = [*_name_of_sheet(sheet.raw), *(text for _, text in sheet.lines_around()), *filter(None, heads)]
    lines += [text for _, text in sheet.raw.comments if not _takes_out(text)]
    for text in [text for text in lines if is_in_part(text, sheet.headers)][:1]:
        sheet.tell("part_in_title", None, title=text, choices=[WHOLE])
    for at in sheet.places("other", "unknown") if sheet.places("n_stones") else ():
        column = sheet.column(at)
        short = [cell for _, cell in column.texts() if not cell[60:] and not is_number(cell)]
        for text in [text for text in short if is_in_part(text, sheet.headers) or amounts_besides(text)][:1]:
            rows = column.rows_with(code for code, cell in column.texts() if cell == text)
            sheet.tell_rows("part_in_title", at, rows, title=text_of(text), choices=[WHOLE])
    weighed = [sheet.values(at) for at in sheet.places("carats")]
    counted = [sheet.values(at) for at in sheet.places("n_stones", "stones_or_carats", wide=None)]
    counted = counted or [np.ones(sheet.n_rows)]
    own = {f"{float(np.nansum(values)):.2f}" for values in (*weighed, *counted, np.concatenate(counted))}
    for text in lines:
        if (amounts := amounts_besides(text)) and not amounts & own:
            sheet.tell("stones_besides", None, title=text, choices=[WHOLE])
            return


def _name_of_sheet(raw: RawTable) -> list[str]:
    """Return the name of a sheet of a workbook, which is a title as well: ``DRAFT``, ``Removed stones``."""
    return [raw.name] if is_book(raw.source) else []


def is_in_part(text: str, headers: Headers) -> bool:
    """Say whether a line says that the rows are some of the goods, or estimates, or those of no parcel at all."""
    key, colon, said = text.partition(":")
    field = headers.field(key) if colon else None
    remarked = field == "n_stones" and not is_number(said)  # ``NB : …``
    noted = bool(colon) and (remarked or says("other", *tokens_of(key)))
    tokens = tokens_of(said if noted else text)
    if amounts_besides(text) or (field is not None and not remarked):
        return False
    words = [token for token in tokens if token.isalpha()]
    cancelled = holds("cancelled", tokens)
    of_classes = (cancelled or says("besides", *tokens[:1])) and any(headers.of(token).wide for token in tokens)
    void = says("void_alone", " ".join(tokens)) or (holds("void", words) and len(words) == len(tokens) <= 4)
    if of_classes or void or holds("in_part", tokens) or (cancelled and _LEGEND.search(text) is not None):
        return True  # ``Sans boart``, ``3 boarts retirés``
    of_goods = ("n_stones", "size", "other", "limit") if has_digit(text) else ("size", "other")
    listed_alone = says("listed", *words)  # ``Only the white goods are listed``
    return says("only", *words) and (listed_alone or any(says(role, *words) for role in of_goods))


def ask_about_titles(sheet: Layout, wide: Sequence[int]) -> None:
    """Ask what numbers below classes are where a title or the corner says prices, means, shares or carats."""
    roles = {sheet.meanings[at].role for at in wide}
    if roles != {"stones_or_carats"} or sheet.choices.get("shares") == "numbers" or sheet.places("n_stones", "carats"):
        return
    whole = all(bool(np.all(np.isnan(v) | (v == np.floor(v)))) for v in map(sheet.values, wide))
    texts: list[tuple[int | None, str]] = [(line, text) for line, text in sheet.lines_around() if ":" not in text]
    if 0 not in wide and sheet.numbers(0) is None:
        texts.append((None, sheet.header(0)))
    for at, text in texts:
        tokens = tokens_of(text)
        if has_digit(re.sub(r"\b(19|20)\d\d\b", "", text)):
            continue
        others = ("money", "mean", *(("carats",) if whole and at is not None else ()))
        said = not says("n_stones", *tokens) and any(says(role, *tokens) for role in others)
        if said or {*"%‰"} & {*text} or says("percent", *tokens):
            sheet.tell("measure_of_title", None, title=text, choices=[("shares", "numbers")])
            return


def _ask_about_means(table: KnownTable, sheet: Layout) -> None:
    """Ask whether carats are sums, where they are what one stone weighs, or what no stones weigh in the mean."""
    if "carats" not in table.columns or sheet.inquiry.chose(CARATS):
        return
    carats, sizes = table.values("carats"), table.columns.get("size_class")
    if "n_stones" in table.columns:
        stones = table.values("n_stones")
        bare = all(item.role in ("n_stones", "carats", "money", "percent", "value_usd") for item in sheet.meanings)
        light = len({*carats.tolist()}) == len(carats) > 1 and bool(np.all(carats < _HEAVY_STONE))
        if bare and light and bool(np.any(stones > 1)):  # stones of each weight
            sheet.inquiry.tell_of("means_or_carats", table, 0, "carats", choices=[CARATS])
            return
        least, most = np.full(len(carats), _LIGHTEST_MEAN), np.full(len(carats), _HEAVIEST_MEAN)
        if table.typed and sizes is not None:  # those of a sheet are held against their limits once all are known
            spans = [sheet.headers.size(name) for name in sizes.names()]
            least = np.array([0.0 if span is None else (span.lower_ct or 0.0) / 2 for span in spans])[sizes.codes]
            most = np.array([np.inf if span is None else 2 * (span.upper_ct or np.inf) for span in spans])[sizes.codes]
        with np.errstate(divide="ignore", invalid="ignore"):
            means = carats / stones
        odd = (stones >= _FEW) & (carats > 0) & ~((means >= least) & (means <= most))
        for row in np.flatnonzero(odd).tolist()[:1] if sizes is None or table.typed else ():
            sheet.inquiry.tell_of("mean_unlikely", table, row, "carats", mean=f"{means[row]:.3g}", choices=[CARATS])
        return
    if sizes is None or sizes.mostly_distinct:
        return
    spans = [sheet.headers.size(text_of(cell)) for cell in sizes.cells]
    rows = np.flatnonzero(np.isfinite(carats)).tolist()
    if len(rows) > 1 and all(_weighs_one(spans[sizes.codes[row]], carats[row]) for row in rows):
        sheet.inquiry.tell_of("means_or_carats", table, rows[0], "carats", choices=[CARATS, ("rows", "stones")])


def _weighs_one(span: Span | None, carats: float) -> bool:
    """Say whether a weight is about that of one stone of a class."""
    if span is None:
        return False
    lower = span.lower_ct or 0.0
    return 0.9 * lower <= carats <= 1.1 * (span.upper_ct or 3 * lower)


def ask_about_shares(sheet: Layout, values: NDArray[np.float64]) -> None:
    """Ask about classes that add up to 1 or to 100 in every row, in every column, or, with decimals, in all of them.

    Rows and columns are looked at where no total stands beside, or one that is what the rows add up to.
    """
    if sheet.choices.get("shares") == "numbers":
        return
    beside = sheet.places("n_stones", "carats", "stones_or_carats")
    across = np.nansum(values, axis=0)
    repeated = all(np.array_equal(sheet.values(at), across) for at in beside)
    lines = (across, np.nansum(values, axis=1)) if repeated else ()
    looked_at = [(sums, (0.011, 1.01)) for line in lines if len(sums := line[line > 0]) > 1]
    if values.shape[0] > 1 < values.shape[1] and bool(np.any(values[np.isfinite(values)] % 1)):  # no 100 stones
        looked_at.append((np.nansum(values, keepdims=True), (0.01, 0.051)))
    for sums, slacks in looked_at:
        for whole, slack in zip((1.0, 100.0), slacks, strict=True):
            if bool(np.all(np.abs(sums - whole) <= slack)):
                sheet.tell("percent_or_numbers", None, sum=f"{whole:g}", choices=[("shares", "numbers")])
                return


def ask_about_weights(sheet: Layout, wide: Sequence[int], *, named: bool) -> None:
    """Tell carats below classes of which each could be the weight of a stone, where nothing says what the rows are."""
    filled = np.sum([np.isfinite(sheet.values(at)) for at in wide], axis=0)
    one_each = bool(sheet.places("row")) and bool(np.all(filled == 1))
    loose = named or sheet.places("lot", "description", "unknown", "other")
    carats = {sheet.meanings[at].role for at in wide} == {"carats"}
    light = all(float(np.nanmax(sheet.values(at), initial=0.0)) < _LIGHT for at in wide)
    if carats and sheet.n_rows > 1 and (one_each or light or not loose):
        sheet.tell("weights_below_classes", wide[0], column=sheet.meanings[wide[0]].classes[0][0])
