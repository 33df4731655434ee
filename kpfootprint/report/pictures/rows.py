"""Numbers of several below each other on one scale: likelihood ratios with their intervals, shares with their marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from kpfootprint.report.blocks import Figure
from kpfootprint.report.locale import Words, mark
from kpfootprint.report.pictures.svg import Axis, Canvas, fitting, ticks
from kpfootprint.report.sentences import Speaker

WIDTH = 350.0
LR_TOP, LR_STEP = 30.0, 26.0
LEFT, TOP, STEP = 120.0, 22.0, 22.0
SHAPES = ("circle", "hollow-square", "triangle", "hollow-diamond", "star", "ring")
"""Forms of the marks of a row, in the order of its values; more than these begin again."""


def lr_rows(speakers: Sequence[tuple[str, Speaker]]) -> list[Figure]:
    """Return one row for each report that verified something, by its letter; nothing where none did."""
    rows = [(letter, sp.content["verification"]) for letter, sp in speakers if sp.content["verification"] is not None]
    if not rows:
        return []
    sp = speakers[0][1]
    reach = min(max(3, *(ceil(abs(value) + 0.2) for _, f in rows for value in (*f["bounds"], f["low"], f["high"]))), 8)
    x = Axis(-reach, reach, 40, WIDTH - 20)
    bottom = LR_TOP + LR_STEP * len(rows)
    canvas = Canvas(WIDTH, bottom + 40)
    canvas.text(40, 16, "\u25c0 " + sp.t("elsewhere (H2)"), bold=True)
    canvas.text(WIDTH - 20, 16, sp.t("declared (H1)") + " \u25b6", "end", bold=True)
    for power in range(-reach, reach + 1):
        canvas.line([(x(power), LR_TOP), (x(power), bottom)], "ink" if power == 0 else "grid", 0.8)
        canvas.text(x(power), bottom + 16, sp.words.number(power), "middle", "muted", 11)
    for i, (letter, found) in enumerate(rows):
        middle = LR_TOP + LR_STEP * i + LR_STEP / 2
        canvas.text(24, middle + 4, letter, "middle", bold=True)
        for bound in found["bounds"]:
            canvas.line([(x(bound), middle - 10), (x(bound), middle + 10)], "ink", 2)
        canvas.rect(x(found["low"]), middle - 6, x(found["high"]) - x(found["low"]), 12)
        canvas.dot(x(found["log10_lr"]), middle, "diamond", "seen", 5.5)
    caption = sp.t("log10 LR; box: interval; thick strokes: bounds")
    canvas.text(WIDTH / 2, bottom + 34, caption, "middle", "muted", 11)
    title = sp.t("The likelihood ratios on one scale")
    data = sp.columns(
        title,
        [{"letter": letter, **found} for letter, found in rows],
        (mark("Report"), str, "letter"),
        (mark("log10 LR"), sp.log10, "log10_lr"),
        (mark("Interval"), sp.log10_span, "low", "high"),
        (mark("Bounds"), lambda bounds: sp.log10_span(*bounds), "bounds"),
    )
    alt = sp.t("; ").join(f"{letter} {sp.log10(found['log10_lr'])}" for letter, found in rows) + "."
    return [Figure(key="p-rows", title=title, alt=alt, canvas=canvas, data=data)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareRow:
    """A row: its name, a share for each mark, and the limits of the only one where it has any."""

    name: str
    values: tuple[float, ...]
    limits: tuple[float, float] | None = None
    odd: bool = False


def share_rows(rows: Sequence[ShareRow], said: Words, marks: Sequence[str] = ()) -> Canvas:
    """Draw rows of shares; `marks` names the marks in a legend, where there are several."""
    top = TOP + (18.0 * ceil(len(marks) / 3) if marks else 0.0)
    bottom = top + STEP * len(rows)
    canvas = Canvas(WIDTH, bottom + 24)
    reach = max(max((*row.values, *(row.limits or ()))) for row in rows)
    x = Axis(0, min(max(1.1 * reach, 0.1), 1.0), LEFT, WIDTH - 24)
    for position, name in enumerate(marks):
        at, line = 16 + 112 * (position % 3), 14 + 18 * (position // 3)
        canvas.dot(at, line - 4, SHAPES[position % len(SHAPES)])
        canvas.text(at + 10, line, fitting(name, 80, 11), size=11)
    for value in ticks(0, x.high, 4):
        canvas.line([(x(value), top), (x(value), bottom)], "grid", 0.8)
        canvas.text(x(value), bottom + 16, said.share(value), "middle", "muted", 11)
    for i, row in enumerate(rows):
        middle = top + STEP * i + STEP / 2
        canvas.text(LEFT - 8, middle + 4, row.name, "end", "odd" if row.odd else "ink", 11, bold=row.odd)
        if row.limits is not None:
            canvas.rect(x(row.limits[0]), middle - 5, x(row.limits[1]) - x(row.limits[0]), 10)
        elif len(row.values) > 1:
            canvas.line([(x(min(row.values)), middle), (x(max(row.values)), middle)], "muted", 1)
        for position, value in enumerate(row.values):
            canvas.dot(x(value), middle, SHAPES[position % len(SHAPES)], "odd" if row.odd else "seen")
    return canvas
