"""Shares of several below each other on one scale, with their marks or their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from kpfootprint.report.locale import Words
from kpfootprint.report.pictures.svg import Axis, Canvas, fitting, ticks

WIDTH = 350.0
LEFT, TOP, STEP = 120.0, 22.0, 22.0
SHAPES = ("circle", "hollow-square", "triangle", "hollow-diamond", "star", "ring")
"""Forms of the marks of a row, in the order of its values; more than these begin again."""


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
