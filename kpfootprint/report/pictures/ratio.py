"""The likelihood ratio on a scale of powers of ten, and what each attribute adds to it as bars to either side of 0."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, floor
from typing import Any

from kpfootprint.report.blocks import Figure
from kpfootprint.report.locale import mark
from kpfootprint.report.pictures.svg import Axis, Canvas
from kpfootprint.report.sentences import Speaker

WIDTH, HEIGHT, LINE = 350.0, 168.0, 70.0
NAMES = 84.0
"""Bounds nearer to each other than this have their names to either side, or these would touch."""
TOP, STEP = 26.0, 24.0
"""Where the bars begin, and how far apart they are."""


def lr_scale(sp: Speaker) -> list[Figure]:
    """Return the scale with the interval and the bounds of the references, or nothing where nothing was verified."""
    found = sp.content["verification"]
    if found is None:
        return []
    title = sp.t("The likelihood ratio on its scale")
    alt = sp.t(
        "log10 LR {value} on a scale from H2 (left) to H1 (right); interval {low} to {high}; "
        "no value outside {lowest} to {highest} is reported.",
        **sp.lr_values(found),
    )
    rows = (
        (mark("Likelihood ratio"), found["log10_lr"]),
        (mark("Lower end of the interval"), found["low"]),
        (mark("Upper end of the interval"), found["high"]),
        (mark("Lower bound"), found["bounds"][0]),
        (mark("Upper bound"), found["bounds"][1]),
        (mark("Before bounding"), found["log10_lr_unbounded"]),
    )
    data = sp.table(title, ("", mark("log10 LR")), [(sp.t(name), sp.log10(value)) for name, value in rows])
    return [Figure(key="p-lr", title=title, alt=alt, canvas=_scale(sp, found), data=data)]


def _scale(sp: Speaker, found: Mapping[str, Any]) -> Canvas:
    lowest, highest = found["bounds"]
    shown = (lowest, highest, found["low"], found["high"], found["log10_lr_unbounded"])
    reach = min(max(3, ceil(max(abs(value) for value in shown) + 0.2)), 8)
    x = Axis(-reach, reach, 20, WIDTH - 20)
    canvas = Canvas(WIDTH, HEIGHT)
    canvas.text(20, 16, "\u25c0 " + sp.t("elsewhere (H2)"), bold=True)
    canvas.text(WIDTH - 20, 16, sp.t("declared (H1)") + " \u25b6", "end", bold=True)
    canvas.hatch(x.start, LINE - 18, x(lowest) - x.start, 36)
    canvas.hatch(x(highest), LINE - 18, x.end - x(highest), 36)
    near = x(highest) - x(lowest) < NAMES
    for bound, anchor in ((lowest, "end"), (highest, "start")):
        canvas.line([(x(bound), LINE - 22), (x(bound), LINE + 22)], "ink", 1.6)
        name = sp.t("bound {value}", value=sp.log10(bound))
        canvas.text(x(bound), LINE - 27, name, anchor if near else "middle", "muted", 11)
    canvas.line([(x.start, LINE), (x.end, LINE)], "ink")
    step = 1 if reach <= 5 else 2
    for power in range(-floor(reach / step) * step, reach + 1, step):
        canvas.line([(x(power), LINE - 4), (x(power), LINE + 4)], "ink")
        canvas.text(x(power), LINE + 38, sp.words.number(power), "middle", "muted", 11)
    canvas.rect(x(found["low"]), LINE - 7, x(found["high"]) - x(found["low"]), 14)
    if abs(found["log10_lr_unbounded"] - found["log10_lr"]) > 0.005:
        canvas.dot(x(found["log10_lr_unbounded"]), LINE, "hollow-diamond", "ink", 5)
    canvas.dot(x(found["log10_lr"]), LINE, "diamond", "seen", 6.5)
    said = sp.t("log10 LR: each step is ten times")
    canvas.text((x.start + x.end) / 2, LINE + 54, said, "middle", "muted", 11)
    y = HEIGHT - 22
    canvas.dot(20, y - 4, "diamond", "seen", 5)
    canvas.text(34, y, sp.t("reported"), size=11)
    canvas.rect(150, y - 10, 18, 11)
    canvas.text(174, y, sp.t("interval"), size=11)
    canvas.dot(20, y + 13, "hollow-diamond", "ink", 4)
    canvas.text(34, y + 17, sp.t("before bounding"), size=11)
    canvas.hatch(150, y + 7, 18, 11, 5)
    canvas.text(174, y + 17, sp.t("beyond the bounds"), size=11)
    return canvas


def shapley_shares(sp: Speaker) -> list[Figure]:
    """Return the Shapley shares of the log10 LR as bars, or nothing where nothing was verified."""
    found, verified = sp.content["explanation"], sp.content["verification"]
    if found is None or verified is None or not found["attributes"]:
        return []
    total = (sp.t("Sum"), verified["log10_lr_unbounded"])
    rows = [*((sp.names.attribute(a["name"]), a["log10_lr_share"]) for a in found["attributes"]), total]
    title = sp.t("What each attribute adds to the log10 likelihood ratio")
    alt = sp.t("; ").join(f"{name} {sp.log10(value)}" for name, value in rows) + "."
    header = (mark("Attribute"), mark("Share of log10 LR"))
    data = sp.table(title, header, [(name, sp.words.number(value, 3)) for name, value in rows])
    reach = max(max(abs(value) for _, value in rows), 0.5) * 1.15
    x = Axis(-reach, reach, 116, WIDTH - 40)
    canvas = Canvas(WIDTH, TOP + STEP * len(rows) + 8)
    canvas.text(x(0) - 8, 14, "\u25c0 " + sp.t("against"), "end", "muted", 11)
    canvas.text(x(0) + 8, 14, sp.t("for the declaration") + " \u25b6", "start", "muted", 11)
    for i, (name, value) in enumerate(rows):
        middle, last = TOP + STEP * i + STEP / 2, i + 1 == len(rows)
        canvas.text(78, middle + 4, name, "end", bold=last)
        left, right = sorted((x(0), x(value)))
        fill, stroke = ("band", "seen") if value >= 0 else ("paper", "odd")
        canvas.rect(left, middle - 8, right - left, 16, fill, stroke)
        anchor, gap = ("start", 6) if value >= 0 else ("end", -6)
        canvas.text(x(value) + gap, middle + 4, sp.log10(value), anchor, bold=last)
    canvas.line([(x(0), TOP - 4), (x(0), TOP + STEP * len(rows))], "ink", 1.4)
    return [Figure(key="p-shares", title=title, alt=alt, canvas=canvas, data=data)]
