"""Shares of stones by class against the expected range; colours and shapes as rows."""

from __future__ import annotations

from typing import Any

from kpfootprint.report.blocks import Figure
from kpfootprint.report.locale import mark
from kpfootprint.report.pictures.marks import TOP, WIDTH, figure_of_classes, legend, outside, seen_mark
from kpfootprint.report.pictures.sizes import cumulative, drawable, per_class
from kpfootprint.report.pictures.svg import Axis, Canvas, ticks
from kpfootprint.report.sentences import Speaker


def shares_of_stones(sp: Speaker) -> dict[str, list[Figure]]:
    """Return the pictures of every attribute that the explanation has classes of, by attribute."""
    findings = (sp.content["explanation"] or {"classes": []})["classes"]
    figures: dict[str, list[Figure]] = {}
    for attribute in sp.content["model"]["attributes"]:
        rows = [c for c in findings if c["attribute"] == attribute["name"]]
        limits = {c["name"]: (c["lower_ct"], c["upper_ct"]) for c in attribute["classes"]}
        if not rows:
            continue
        if all(limits.get(c["class"], (None, None))[0] is not None for c in rows):
            edges = [drawable(*limits[c["class"]]) for c in rows]
            pair = per_class(sp, attribute["name"], rows, edges), cumulative(sp, attribute["name"], rows, edges)
            figures[attribute["name"]] = list(pair)
        else:
            figures[attribute["name"]] = [_rows(sp, attribute["name"], rows)]
    return figures


def _rows(sp: Speaker, name: str, rows: list[dict[str, Any]]) -> Figure:
    high = max(max(c["observed"], c["high"] or 0) for c in rows) * 1.05 or 1.0
    labels = [sp.names.class_(name, c["class"]) for c in rows]
    left = min(max(len(label) for label in labels) * 7.4 + 14, 170.0)
    x = Axis(0, high, left, WIDTH - 46)
    step, bottom = 19.0, TOP + 19.0 * len(rows)
    canvas = Canvas(WIDTH, bottom + 30)
    legend(sp, canvas, 14, any(c["low"] is not None for c in rows))
    for value in ticks(0, high, 4):
        canvas.line([(x(value), TOP), (x(value), bottom)], "grid", 0.7)
        canvas.text(x(value), bottom + 14, sp.share(value), "middle", "muted", 11)
    for i, (c, label) in enumerate(zip(rows, labels, strict=True)):
        middle = TOP + step * i + step / 2
        canvas.text(left - 8, middle + 4, label if len(label) <= 24 else label[:23] + "\u2026", "end", size=12)
        if c["low"] is not None:
            canvas.rect(x(c["low"]), middle - 7, x(c["high"]) - x(c["low"]), 14)
        if c["expected"] is not None:
            canvas.line([(x(c["expected"]), middle - 7), (x(c["expected"]), middle + 7)], "ink", 1.6)
        seen_mark(canvas, x(c["observed"]), middle, c)
        canvas.text(WIDTH - 4, middle + 4, sp.share(c["observed"]), "end", "odd" if outside(c) else "muted", 11)
    canvas.text((x.start + x.end) / 2, bottom + 28, sp.t(mark("share of stones")), "middle", "muted", 11)
    return figure_of_classes(sp, name, rows, canvas)
