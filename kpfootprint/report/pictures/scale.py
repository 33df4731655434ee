"""The likelihood ratio on a scale of powers of ten, with its interval and with the bounds of the references."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, floor
from typing import Any

from kpfootprint.report.blocks import Figure, Table
from kpfootprint.report.locale import mark
from kpfootprint.report.pictures.svg import Axis, Canvas
from kpfootprint.report.sentences import Speaker

WIDTH, HEIGHT, LINE = 350.0, 168.0, 70.0


def lr_scale(sp: Speaker) -> list[Figure]:
    """Return the scale, or nothing where nothing was verified."""
    found = sp.content["verification"]
    if found is None:
        return []
    title = sp.t(mark("The likelihood ratio on its scale"))
    alt = sp.t(
        mark(
            "log10 LR {value} on a scale from H2 (left) to H1 (right); interval {low} to {high}; "
            "values outside {lowest} to {highest} are out of the references' reach."
        ),
        value=sp.log10(found["log10_lr"]),
        low=sp.log10(found["low"]),
        high=sp.log10(found["high"]),
        lowest=sp.log10(found["bounds"][0]),
        highest=sp.log10(found["bounds"][1]),
    )
    return [Figure(key="p-lr", title=title, alt=alt, svg=_draw(sp, found, title, alt), data=_data(sp, found, title))]


def _data(sp: Speaker, found: Mapping[str, Any], title: str) -> Table:
    rows = (
        (sp.t(mark("Likelihood ratio")), found["log10_lr"]),
        (sp.t(mark("Lower end of the interval")), found["low"]),
        (sp.t(mark("Upper end of the interval")), found["high"]),
        (sp.t(mark("Lower bound")), found["bounds"][0]),
        (sp.t(mark("Upper bound")), found["bounds"][1]),
        (sp.t(mark("Before bounding")), found["log10_lr_unbounded"]),
    )
    return Table(
        caption=title,
        header=("", sp.t(mark("log10 LR"))),
        rows=tuple((name, sp.log10(value)) for name, value in rows),
    )


def _draw(sp: Speaker, found: Mapping[str, Any], title: str, alt: str) -> str:
    lowest, highest = found["bounds"]
    shown = (lowest, highest, found["low"], found["high"], found["log10_lr_unbounded"])
    reach = max(3, ceil(max(abs(value) for value in shown) + 0.2))
    reach = min(reach, 8)
    x = Axis(-reach, reach, 20, WIDTH - 20)
    canvas = Canvas(WIDTH, HEIGHT)
    canvas.text(20, 16, "\u25c0 " + sp.t(mark("elsewhere (H2)")), bold=True)
    canvas.text(WIDTH - 20, 16, sp.t(mark("declared (H1)")) + " \u25b6", "end", bold=True)
    canvas.hatch(x.start, LINE - 18, x(lowest) - x.start, 36)
    canvas.hatch(x(highest), LINE - 18, x.end - x(highest), 36)
    for bound, anchor in ((lowest, "middle"), (highest, "middle")):
        canvas.line([(x(bound), LINE - 22), (x(bound), LINE + 22)], "ink", 1.6)
        canvas.text(x(bound), LINE - 27, sp.t(mark("bound {value}"), value=sp.log10(bound)), anchor, "muted", 11)
    canvas.line([(x.start, LINE), (x.end, LINE)], "ink")
    step = 1 if reach <= 5 else 2
    for power in range(-floor(reach / step) * step, reach + 1, step):
        canvas.line([(x(power), LINE - 4), (x(power), LINE + 4)], "ink")
        canvas.text(x(power), LINE + 38, sp.words.number(power), "middle", "muted", 11)
    canvas.rect(x(found["low"]), LINE - 7, x(found["high"]) - x(found["low"]), 14)
    if abs(found["log10_lr_unbounded"] - found["log10_lr"]) > 0.005:
        canvas.dot(x(found["log10_lr_unbounded"]), LINE, "hollow-diamond", "ink", 5)
    canvas.dot(x(found["log10_lr"]), LINE, "diamond", "seen", 6.5)
    canvas.text(
        (x.start + x.end) / 2,
        LINE + 54,
        sp.t(mark("log10 LR: each step is ten times")),
        "middle",
        "muted",
        11,
    )
    _key(sp, canvas)
    return canvas.svg("p-lr", title, alt)


def _key(sp: Speaker, canvas: Canvas) -> None:
    y = HEIGHT - 22
    canvas.dot(20, y - 4, "diamond", "seen", 5)
    canvas.text(34, y, sp.t(mark("reported")), size=11)
    canvas.rect(150, y - 10, 18, 11)
    canvas.text(174, y, sp.t(mark("interval")), size=11)
    canvas.dot(20, y + 13, "hollow-diamond", "ink", 4)
    canvas.text(34, y + 17, sp.t(mark("before bounding")), size=11)
    canvas.hatch(150, y + 7, 18, 11, 5)
    canvas.text(174, y + 17, sp.t(mark("out of the references' reach")), size=11)
