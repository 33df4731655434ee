"""Sizes on log carats: the share of stones in each class, and up to each limit, with what is expected."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from math import log10
from typing import Any

from kpfootprint.report.blocks import Figure, Table
from kpfootprint.report.locale import mark
from kpfootprint.report.pictures.marks import (
    LEFT,
    PLOT,
    RIGHT,
    TOP,
    WIDTH,
    figure_of_classes,
    legend,
    seen_mark,
)
from kpfootprint.report.pictures.svg import Axis, Canvas, ticks
from kpfootprint.report.sentences import Speaker

_CARATS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)


def drawable(lower: float, upper: float | None) -> tuple[float, float]:
    """Return drawable limits in carats of a class that may begin at zero or never end."""
    if upper is None:
        return lower, max(lower * 2, 0.02)
    return (upper / 2 if lower <= 0 else lower), upper


def per_class(sp: Speaker, name: str, rows: list[dict[str, Any]], edges: list[tuple[float, float]]) -> Figure:
    """Return the picture of each class: its range as a box over its limits in carats, the observed share as a mark."""
    high = max(max(c["observed"], c["high"] or 0) for c in rows) * 1.08 or 1.0
    x, y = _axes(edges, high)
    canvas = Canvas(WIDTH, TOP + PLOT + 40)
    legend(sp, canvas, 14, any(c["low"] is not None for c in rows))
    _frame(sp, canvas, x, y, high)
    for c, (lower, upper) in zip(rows, edges, strict=True):
        left, right = x(log10(lower)) + 1, x(log10(upper)) - 1
        if c["low"] is not None:
            canvas.rect(left, y(c["high"]), right - left, y(c["low"]) - y(c["high"]))
        if c["expected"] is not None:
            canvas.line([(left, y(c["expected"])), (right, y(c["expected"]))], "ink", 1.6)
        seen_mark(canvas, (left + right) / 2, y(c["observed"]), c)
    return figure_of_classes(sp, name, rows, canvas)


def cumulative(sp: Speaker, name: str, rows: list[dict[str, Any]], edges: list[tuple[float, float]]) -> Figure:
    """Return the picture of the shares up to each limit, with the widest range that the classes allow."""
    x, y = _axes(edges, 1.0)
    canvas = Canvas(WIDTH, TOP + PLOT + 40)
    compared = all(c["low"] is not None and c["expected"] is not None for c in rows)
    observed, expected, low, high = _sums(rows)
    at = [x(log10(upper)) for _, upper in edges]
    start = (x(log10(edges[0][0])), y(0))
    _frame(sp, canvas, x, y, 1.0)
    if compared:
        upper_line = [start, *((px, y(v)) for px, v in zip(at, high, strict=True))]
        lower_line = [start, *((px, y(v)) for px, v in zip(at, low, strict=True))]
        canvas.area([*upper_line, *reversed(lower_line)])
        canvas.line([start, *((px, y(v)) for px, v in zip(at, expected, strict=True))], "ink", 1.2, "6 3")
    seen = [(px, y(v)) for px, v in zip(at, observed, strict=True)]
    canvas.line([start, *seen], "seen", 2)
    for px, py in seen:
        canvas.dot(px, py, size=3)
    canvas.line([(LEFT, 10), (LEFT + 20, 10)], "seen", 2)
    canvas.dot(LEFT + 10, 10, size=3)
    canvas.text(LEFT + 26, 14, sp.t(mark("observed")), size=11)
    if compared:
        canvas.line([(LEFT + 90, 10), (LEFT + 114, 10)], "ink", 1.2, "6 3")
        canvas.text(LEFT + 120, 14, sp.t(mark("expected")), size=11)
        canvas.rect(LEFT + 185, 4, 14, 11)
        canvas.text(LEFT + 205, 14, sp.t(mark("range")), size=11)
    title = sp.t(mark("{attribute}: share of stones up to each limit"), attribute=sp.names.attribute(name))
    alt = sp.t(
        mark(
            "The line rises to {half} of stones at {carats} ct. The range holds every distribution whose classes all "
            "stay within their own ranges."
        ),
        half=sp.share(0.5),
        carats=sp.words.number(_median(observed, edges), 2),
    )
    key = f"p-{name}-cumulative"
    header = (sp.t(mark("Up to (ct)")), sp.t(mark("Observed")), sp.t(mark("Expected")), sp.t(mark("Range")))
    table_rows = tuple(
        (
            sp.words.trimmed(upper, 3) if i < len(rows) - 1 else sp.t(mark("all")),
            sp.share(min(observed[i], 1.0)),
            sp.share(min(expected[i], 1.0)) if compared else "\u2013",
            sp.span(low[i], high[i]) if compared else "\u2013",
        )
        for i, (_, upper) in enumerate(edges)
    )
    data = Table(caption=title, header=header, rows=table_rows).filled()
    return Figure(key=key, title=title, alt=alt, svg=canvas.svg(key, title, alt), data=data)


def _frame(sp: Speaker, canvas: Canvas, x: Axis, y: Axis, high: float) -> None:
    """Draw the axes of a picture on log carats."""
    for value in ticks(0, high, 4):
        canvas.line([(x.start, y(value)), (x.end, y(value))], "grid", 0.7)
        canvas.text(x.start - 5, y(value) + 4, sp.share(value), "end", "muted", 11)
    last = -100.0
    for value in _CARATS:
        at = x(log10(value))
        if x.low <= log10(value) <= x.high:
            canvas.line([(at, y.start), (at, y.start + 4)], "muted")
            if at - last > 26:
                canvas.text(at, y.start + 16, sp.words.trimmed(value, 2), "middle", "muted", 11)
                last = at
    canvas.line([(x.start, y.start), (x.end, y.start)], "ink")
    canvas.text((x.start + x.end) / 2, y.start + 31, sp.t(mark("carats per stone (log scale)")), "middle", "muted", 11)


def _axes(edges: Sequence[tuple[float, float]], high: float) -> tuple[Axis, Axis]:
    low_ct, high_ct = min(low for low, _ in edges), max(high for _, high in edges)
    return Axis(log10(low_ct), log10(high_ct), LEFT, WIDTH - RIGHT), Axis(0, high, TOP + PLOT, TOP)


def _sums(rows: list[dict[str, Any]]) -> tuple[list[float], list[float], list[float], list[float]]:
    """Return observed and expected cumulative shares, and the widest range that the classes' own ranges allow."""
    low = [c["low"] or 0.0 for c in rows]
    high = [1.0 if c["high"] is None else c["high"] for c in rows]
    below, above = list(accumulate(low)), list(accumulate(high))
    floor = [max(b, 1 - (above[-1] - a)) for b, a in zip(below, above, strict=True)]
    ceiling = [min(a, 1 - (below[-1] - b)) for b, a in zip(below, above, strict=True)]
    return (
        list(accumulate(c["observed"] for c in rows)),
        list(accumulate(c["expected"] or 0.0 for c in rows)),
        [min(max(value, 0.0), 1.0) for value in floor],
        [min(max(value, 0.0), 1.0) for value in ceiling],
    )


def _median(observed: Sequence[float], edges: Sequence[tuple[float, float]]) -> float:
    """Return where the drawn line crosses one half, in carats."""
    before = 0.0
    for total, (lower, upper) in zip(observed, edges, strict=True):
        if total >= 0.5:
            part = (0.5 - before) / ((total - before) or 1)
            return float(10 ** (log10(lower) + part * (log10(upper) - log10(lower))))
        before = total
    return edges[-1][1]
