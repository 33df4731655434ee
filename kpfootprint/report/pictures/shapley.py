"""Shapley shares of the log10 LR by attribute, as bars to either side of zero."""

from __future__ import annotations

from kpfootprint.report.blocks import Figure, Table
from kpfootprint.report.locale import mark
from kpfootprint.report.pictures.svg import Axis, Canvas
from kpfootprint.report.sentences import Speaker

WIDTH, TOP, STEP = 350.0, 26.0, 24.0


def shapley_shares(sp: Speaker) -> list[Figure]:
    """Return the bars, or nothing where nothing was verified."""
    found, verified = sp.content["explanation"], sp.content["verification"]
    if found is None or verified is None or not found["attributes"]:
        return []
    total = (sp.t(mark("Sum")), verified["log10_lr_unbounded"])
    rows = [(sp.names.attribute(a["name"]), a["log10_lr_share"]) for a in found["attributes"]]
    title = sp.t(mark("What each attribute adds to the log10 likelihood ratio"))
    alt = "; ".join(f"{name} {sp.log10(value)}" for name, value in (*rows, total)) + "."
    data = Table(
        caption=title,
        header=(sp.t(mark("Attribute")), sp.t(mark("Share of log10 LR"))),
        rows=tuple((name, sp.words.number(value, 3)) for name, value in (*rows, total)),
    )
    reach = max(max(abs(value) for _, value in (*rows, total)), 0.5) * 1.15
    x = Axis(-reach, reach, 116, WIDTH - 40)
    canvas = Canvas(WIDTH, TOP + STEP * (len(rows) + 1) + 8)
    canvas.text(x(0) - 8, 14, "\u25c0 " + sp.t(mark("against")), "end", "muted", 11)
    canvas.text(x(0) + 8, 14, sp.t(mark("for the declaration")) + " \u25b6", "start", "muted", 11)
    for i, (name, value) in enumerate((*rows, total)):
        middle, last = TOP + STEP * i + STEP / 2, i == len(rows)
        canvas.text(78, middle + 4, name, "end", bold=last)
        left, right = sorted((x(0), x(value)))
        canvas.rect(
            left, middle - 8, right - left, 16, "band" if value >= 0 else "paper", "seen" if value >= 0 else "odd"
        )
        anchor, gap = ("start", 6) if value >= 0 else ("end", -6)
        canvas.text(x(value) + gap, middle + 4, sp.log10(value), anchor, bold=last)
    canvas.line([(x(0), TOP - 4), (x(0), TOP + STEP * (len(rows) + 1))], "ink", 1.4)
    return [Figure(key="p-shares", title=title, alt=alt, svg=canvas.svg("p-shares", title, alt), data=data)]
