"""Several likelihood ratios below each other on one scale, each with its interval and its bounds."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from kpfootprint.report.blocks import Figure, Table
from kpfootprint.report.locale import mark
from kpfootprint.report.pictures.svg import Axis, Canvas
from kpfootprint.report.sentences import Speaker

WIDTH, TOP, STEP = 350.0, 30.0, 26.0


def lr_rows(speakers: Sequence[tuple[str, Speaker]]) -> list[Figure]:
    """Return one row for each report that verified something, by its letter; nothing where none did."""
    rows = [(letter, sp.content["verification"]) for letter, sp in speakers if sp.content["verification"] is not None]
    if not rows:
        return []
    sp = speakers[0][1]
    title = sp.t(mark("The likelihood ratios on one scale"))
    alt = "; ".join(f"{letter} {sp.log10(found['log10_lr'])}" for letter, found in rows) + "."
    reach = min(max(3, *(ceil(abs(value) + 0.2) for _, f in rows for value in (*f["bounds"], f["low"], f["high"]))), 8)
    x = Axis(-reach, reach, 40, WIDTH - 20)
    bottom = TOP + STEP * len(rows)
    canvas = Canvas(WIDTH, bottom + 40)
    canvas.text(40, 16, "\u25c0 " + sp.t(mark("elsewhere (H2)")), bold=True)
    canvas.text(WIDTH - 20, 16, sp.t(mark("declared (H1)")) + " \u25b6", "end", bold=True)
    for power in range(-reach, reach + 1):
        canvas.line([(x(power), TOP), (x(power), bottom)], "ink" if power == 0 else "grid", 0.8)
        canvas.text(x(power), bottom + 16, sp.words.number(power), "middle", "muted", 11)
    for i, (letter, found) in enumerate(rows):
        middle = TOP + STEP * i + STEP / 2
        canvas.text(24, middle + 4, letter, "middle", bold=True)
        for bound in found["bounds"]:
            canvas.line([(x(bound), middle - 10), (x(bound), middle + 10)], "ink", 2)
        canvas.rect(x(found["low"]), middle - 6, x(found["high"]) - x(found["low"]), 12)
        canvas.dot(x(found["log10_lr"]), middle, "diamond", "seen", 5.5)
    caption = sp.t(mark("log10 LR; box: interval; thick strokes: bounds"))
    canvas.text(WIDTH / 2, bottom + 34, caption, "middle", "muted", 11)
    data = Table(
        caption=title,
        header=(sp.t(mark("Report")), sp.t(mark("log10 LR")), sp.t(mark("Interval")), sp.t(mark("Bounds"))),
        rows=tuple(
            (
                letter,
                sp.log10(found["log10_lr"]),
                sp.span(found["low"], found["high"], sp.log10),
                sp.span(found["bounds"][0], found["bounds"][1], sp.log10),
            )
            for letter, found in rows
        ),
    )
    svg = canvas.svg("p-rows", title, alt)
    return [Figure(key="p-rows", title=title, alt=alt, svg=svg, data=data)]
