"""Shares of stones by class against the expected range: sizes on log carats, colours and shapes as rows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import accumulate
from math import log10
from typing import Any

from kpfootprint.report.blocks import Figure
from kpfootprint.report.locale import mark
from kpfootprint.report.pictures.svg import Axis, Canvas, ticks
from kpfootprint.report.sentences import Speaker

WIDTH, LEFT, RIGHT, TOP, PLOT = 350.0, 40.0, 10.0, 42.0, 138.0
"""Width of a picture, its left and right margins, where the plot begins, how high it is."""
_CARATS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)

Row = dict[str, Any]
Edges = Sequence[tuple[float, float]]


def shares_of_stones(sp: Speaker) -> dict[str, tuple[Figure, ...]]:
    """Return the pictures of every attribute that the explanation has classes of, by attribute."""
    findings = (sp.content["explanation"] or {"classes": []})["classes"]
    figures: dict[str, tuple[Figure, ...]] = {}
    for attribute in sp.content["model"]["attributes"]:
        name = attribute["name"]
        rows = [c for c in findings if c["attribute"] == name]
        limits = {c["name"]: (c["lower_ct"], c["upper_ct"]) for c in attribute["classes"]}
        if not rows:
            continue
        if all(limits.get(c["class"], (None, None))[0] is not None for c in rows):
            edges = [_drawable(*limits[c["class"]]) for c in rows]
            figures[name] = _figure(sp, name, rows, _per_class(sp, rows, edges)), _cumulative(sp, name, rows, edges)
        else:
            figures[name] = (_figure(sp, name, rows, _rows(sp, name, rows)),)
    return figures


def outside(c: Row) -> bool:
    """Return whether a class lies outside its expected range; never where it has none."""
    return c["low"] is not None and not c["low"] <= c["observed"] <= c["high"]


def _figure(sp: Speaker, name: str, rows: Sequence[Row], canvas: Canvas) -> Figure:
    """Return what was drawn of an attribute's classes, with which of them lie outside what is expected."""
    title = sp.t("{attribute}: share of stones in each class", attribute=sp.names.attribute(name))
    beyond = [sp.names.class_(name, c["class"]) for c in rows if outside(c)]
    if all(c["low"] is None for c in rows):
        alt = sp.t("Observed shares of stones; there is nothing to compare them with.")
    elif not beyond:
        alt = sp.t("Every class lies within its expected range.")
    else:
        message = mark("Outside the expected range: {classes}. All other classes lie within it.")
        alt = sp.t(message, classes=sp.words.row(beyond))
    weighed = mark("{attribute}: shares of stones and contributions (log10)")
    verified = sp.content["verification"] is not None
    data = sp.columns(
        sp.t(weighed, attribute=sp.names.attribute(name)) if verified else title,
        rows,
        (mark("Class"), partial(sp.names.class_, name), "class"),
        (mark("Observed"), sp.observed, "observed", "low", "high"),
        (mark("Expected"), sp.share, "expected"),
        (mark("Expected range"), sp.range_beside, "observed", "low", "high"),
        (mark("Contribution"), sp.log10, "contribution"),
    )
    data = data if verified else data.filled()
    return Figure(key=f"p-{name}", title=title, alt=alt, canvas=canvas, data=data)


def _legend(sp: Speaker, canvas: Canvas, rows: Sequence[Row]) -> None:
    """Explain the marks in two lines."""
    x, y = 8.0, 14.0
    canvas.dot(x + 4, y - 4)
    canvas.text(x + 13, y, sp.t("observed"), size=11)
    if all(c["low"] is None for c in rows):
        return
    canvas.dot(x + 140, y - 4, "triangle", "odd", 4.5)
    canvas.text(x + 150, y, sp.t("observed, outside"), size=11)
    canvas.rect(x - 3, y + 6, 14, 11)
    canvas.line([(x - 3, y + 11.5), (x + 11, y + 11.5)], "ink", 1.6)
    canvas.text(x + 17, y + 15, sp.t("expected, with its range (nine parcels in ten)"), size=11)


def _seen(canvas: Canvas, x: float, y: float, c: Row) -> None:
    """Mark what was observed: a dot within the expected range, a triangle outside it."""
    if outside(c):
        canvas.dot(x, y, "triangle", "odd", 5)
    else:
        canvas.dot(x, y)


def _rows(sp: Speaker, name: str, rows: Sequence[Row]) -> Canvas:
    high = max(max(c["observed"], c["high"] or 0) for c in rows) * 1.05 or 1.0
    labels = [sp.names.class_(name, c["class"]) for c in rows]
    left = min(max(len(label) for label in labels) * 7.4 + 14, 170.0)
    x = Axis(0, high, left, WIDTH - 46)
    step, bottom = 19.0, TOP + 19.0 * len(rows)
    canvas = Canvas(WIDTH, bottom + 30)
    _legend(sp, canvas, rows)
    for value in ticks(0, high, 4):
        canvas.line([(x(value), TOP), (x(value), bottom)], "grid", 0.7)
        canvas.text(x(value), bottom + 14, sp.share(value), "middle", "muted", 11)
    for i, (c, label) in enumerate(zip(rows, labels, strict=True)):
        middle = TOP + step * i + step / 2
        canvas.text(left - 8, middle + 4, label, "end", size=12)
        if c["low"] is not None:
            canvas.rect(x(c["low"]), middle - 7, x(c["high"]) - x(c["low"]), 14)
        if c["expected"] is not None:
            canvas.line([(x(c["expected"]), middle - 7), (x(c["expected"]), middle + 7)], "ink", 1.6)
        _seen(canvas, x(c["observed"]), middle, c)
        shown = sp.observed(c["observed"], c["low"], c["high"])
        canvas.text(WIDTH - 4, middle + 4, shown, "end", "odd" if outside(c) else "muted", 11)
    canvas.text((x.start + x.end) / 2, bottom + 28, sp.t("share of stones"), "middle", "muted", 11)
    return canvas


def _drawable(lower: float, upper: float | None) -> tuple[float, float]:
    """Return drawable limits in carats of a class that may begin at zero or never end."""
    if upper is None:
        return lower, max(lower * 2, 0.02)
    return (upper / 2 if lower <= 0 else lower), upper


def _per_class(sp: Speaker, rows: Sequence[Row], edges: Edges) -> Canvas:
    """Draw each size class: its range as a box over its limits in carats, the observed share as a mark."""
    high = max(max(c["observed"], c["high"] or 0) for c in rows) * 1.08 or 1.0
    canvas, x, y = _frame(sp, edges, high)
    _legend(sp, canvas, rows)
    for c, (lower, upper) in zip(rows, edges, strict=True):
        left, right = x(log10(lower)) + 1, x(log10(upper)) - 1
        if c["low"] is not None:
            canvas.rect(left, y(c["high"]), right - left, y(c["low"]) - y(c["high"]))
        if c["expected"] is not None:
            canvas.line([(left, y(c["expected"])), (right, y(c["expected"]))], "ink", 1.6)
        _seen(canvas, (left + right) / 2, y(c["observed"]), c)
    return canvas


def _cumulative(sp: Speaker, name: str, rows: Sequence[Row], edges: Edges) -> Figure:
    """Return the picture of the shares up to each limit, with the widest range that the classes allow."""
    canvas, x, y = _frame(sp, edges, 1.0)
    compared = all(c["low"] is not None and c["expected"] is not None for c in rows)
    observed, expected, low, high = _sums(rows)
    at = [x(log10(upper)) for _, upper in edges]
    start = (x(log10(edges[0][0])), y(0))

    def rising(values: Sequence[float]) -> list[tuple[float, float]]:
        return [start, *((px, y(value)) for px, value in zip(at, values, strict=True))]

    if compared:
        canvas.area([*rising(high), *reversed(rising(low))])
        canvas.line(rising(expected), "ink", 1.2, "6 3")
    canvas.line(rising(observed), "seen", 2)
    for px, py in rising(observed)[1:]:
        canvas.dot(px, py, size=3)
    canvas.line([(LEFT, 10), (LEFT + 20, 10)], "seen", 2)
    canvas.dot(LEFT + 10, 10, size=3)
    canvas.text(LEFT + 26, 14, sp.t("observed"), size=11)
    if compared:
        canvas.line([(LEFT + 90, 10), (LEFT + 114, 10)], "ink", 1.2, "6 3")
        canvas.text(LEFT + 120, 14, sp.t("expected"), size=11)
        canvas.rect(LEFT + 185, 4, 14, 11)
        canvas.text(LEFT + 205, 14, sp.t("range"), size=11)
    title = sp.t("{attribute}: share of stones up to each limit", attribute=sp.names.attribute(name))
    alt = sp.t(
        "The line rises to {half} of stones at {carats} ct. The range holds every distribution whose classes all "
        "stay within their own ranges.",
        half=sp.share(0.5),
        carats=sp.words.number(_median(observed, edges), 2),
    )
    data = sp.table(
        title,
        (mark("Up to (ct)"), mark("Observed"), mark("Expected"), mark("Range")),
        [
            (
                sp.words.trimmed(upper, 3) if i < len(rows) - 1 else sp.t("all"),
                sp.share(min(observed[i], 1.0)),
                sp.share(min(expected[i], 1.0)) if compared else "\u2013",
                sp.span(low[i], high[i]) if compared else "\u2013",
            )
            for i, (_, upper) in enumerate(edges)
        ],
    ).filled()
    return Figure(key=f"p-{name}-cumulative", title=title, alt=alt, canvas=canvas, data=data)


def _frame(sp: Speaker, edges: Edges, high: float) -> tuple[Canvas, Axis, Axis]:
    """Return a picture with its axes, carats on a log scale and shares up to `high`."""
    low_ct, high_ct = min(low for low, _ in edges), max(high for _, high in edges)
    x, y = Axis(log10(low_ct), log10(high_ct), LEFT, WIDTH - RIGHT), Axis(0, high, TOP + PLOT, TOP)
    canvas = Canvas(WIDTH, TOP + PLOT + 40)
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
    canvas.text((x.start + x.end) / 2, y.start + 31, sp.t("carats per stone (log scale)"), "middle", "muted", 11)
    return canvas, x, y


def _sums(rows: Sequence[Row]) -> tuple[list[float], list[float], list[float], list[float]]:
    """Return observed and expected cumulative shares, and the widest range that the classes' own ranges allow."""
    below = list(accumulate(c["low"] or 0.0 for c in rows))
    above = list(accumulate(1.0 if c["high"] is None else c["high"] for c in rows))
    floor = [max(b, 1 - (above[-1] - a)) for b, a in zip(below, above, strict=True)]
    ceiling = [min(a, 1 - (below[-1] - b)) for b, a in zip(below, above, strict=True)]
    return (
        list(accumulate(c["observed"] for c in rows)),
        list(accumulate(c["expected"] or 0.0 for c in rows)),
        [min(max(value, 0.0), 1.0) for value in floor],
        [min(max(value, 0.0), 1.0) for value in ceiling],
    )


def _median(observed: Sequence[float], edges: Edges) -> float:
    """Return where the drawn line crosses one half, in carats."""
    before = 0.0
    for total, (lower, upper) in zip(observed, edges, strict=True):
        if total >= 0.5:
            part = (0.5 - before) / ((total - before) or 1)
            return float(10 ** (log10(lower) + part * (log10(upper) - log10(lower))))
        before = total
    return edges[-1][1]
