"""What pictures of classes share: the marks, their legend, the text and the figures behind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kpfootprint.report.blocks import Figure, Table
from kpfootprint.report.locale import mark
from kpfootprint.report.pictures.svg import Canvas
from kpfootprint.report.sentences import Speaker

WIDTH, LEFT, RIGHT, TOP, PLOT = 350.0, 40.0, 10.0, 42.0, 138.0
"""Width of a picture, its left and right margins, where the plot begins, how high it is."""


def outside(c: dict[str, Any]) -> bool:
    """Return whether a class lies outside its expected range; never where it has none."""
    return c["low"] is not None and not c["low"] <= c["observed"] <= c["high"]


def _alternative(sp: Speaker, rows: Sequence[dict[str, Any]]) -> str:
    """Say which classes lie outside what is expected."""
    if all(c["low"] is None for c in rows):
        return sp.t(mark("Observed shares of stones; nothing was declared to compare them with."))
    beyond = [sp.names.class_(c["attribute"], c["class"]) for c in rows if outside(c)]
    if not beyond:
        return sp.t(mark("Every class lies within its expected range."))
    return sp.t(
        mark("Outside the expected range: {classes}. All other classes lie within it."), classes=sp.words.row(beyond)
    )


def _figures_behind(sp: Speaker, title: str, rows: Sequence[dict[str, Any]]) -> Table:
    """Return the table of what a picture of classes shows."""
    return Table(
        caption=title,
        header=tuple(
            sp.t(word) for word in (mark("Class"), mark("Observed"), mark("Expected"), mark("Expected range"))
        ),
        rows=tuple(
            (
                sp.names.class_(c["attribute"], c["class"]),
                sp.share(c["observed"]),
                sp.share(c["expected"]),
                sp.span(c["low"], c["high"]),
            )
            for c in rows
        ),
    )


def figure_of_classes(sp: Speaker, name: str, rows: Sequence[dict[str, Any]], canvas: Canvas) -> Figure:
    """Return what was drawn of an attribute's classes, with its title, its text and the figures behind it."""
    key, title = (
        f"p-{name}",
        sp.t(mark("{attribute}: share of stones in each class"), attribute=sp.names.attribute(name)),
    )
    alt = _alternative(sp, rows)
    return Figure(
        key=key, title=title, alt=alt, svg=canvas.svg(key, title, alt), data=_figures_behind(sp, title, rows).filled()
    )


def legend(sp: Speaker, canvas: Canvas, y: float, compared: bool) -> None:
    """Explain the marks in two lines."""
    x = 8.0
    canvas.dot(x + 4, y - 4)
    canvas.text(x + 13, y, sp.t(mark("observed")), size=11)
    if not compared:
        return
    canvas.dot(x + 140, y - 4, "triangle", "odd", 4.5)
    canvas.text(x + 150, y, sp.t(mark("observed, outside")), size=11)
    canvas.rect(x - 3, y + 6, 14, 11)
    canvas.line([(x - 3, y + 11.5), (x + 11, y + 11.5)], "ink", 1.6)
    canvas.text(x + 17, y + 15, sp.t(mark("expected, with its range (nine parcels in ten)")), size=11)


def seen_mark(canvas: Canvas, x: float, y: float, c: dict[str, Any]) -> None:
    """Mark what was observed: a dot within the expected range, a triangle outside it."""
    if outside(c):
        canvas.dot(x, y, "triangle", "odd", 5)
    else:
        canvas.dot(x, y)
