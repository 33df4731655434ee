"""The undeclared share of stones: how probable it is that the share is at most this, interval, detection limit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kpfootprint.report.blocks import Figure, Table
from kpfootprint.report.locale import mark
from kpfootprint.report.pictures.svg import Axis, Canvas
from kpfootprint.report.sentences import Speaker

WIDTH, LEFT, TOP, PLOT = 350.0, 40.0, 28.0, 120.0


def mixture_profile(sp: Speaker) -> list[Figure]:
    """Return the profile, or nothing where there is none."""
    found = sp.content["mixture"]
    if found is None or len(found["profile"]) < 2:
        return []
    title = sp.t(mark("The undeclared share of stones"))
    share = found["undeclared_stone_fraction"]
    limit = found["detection_limit"]
    alt = sp.t(mark("Undeclared share {share}."), share=sp.between(share)) + " "
    if limit < 1:
        alt += sp.t(mark("A share of {limit} or more would be found nine times in ten."), limit=sp.share(limit))
    else:
        alt += sp.t(mark("At this size no share would be found nine times in ten."))
    data = Table(
        caption=title,
        header=(sp.t(mark("Share of stones")), sp.t(mark("Probability of at most this"))),
        rows=tuple((sp.share(at), sp.share(chance)) for at, chance in _thinned(found["profile"])),
        numeric=(True, True),
    )
    return [Figure(key="p-mixture", title=title, alt=alt, svg=_draw(sp, found, title, alt), data=data)]


def _thinned(profile: list[list[float]]) -> list[list[float]]:
    """Return some twenty points of the profile, its ends among them."""
    step = max(1, len(profile) // 20)
    kept = profile[::step]
    return kept if kept[-1] == profile[-1] else [*kept, profile[-1]]


def _draw(sp: Speaker, found: Mapping[str, Any], title: str, alt: str) -> str:
    x, y = Axis(0, 1, LEFT, WIDTH - 16), Axis(0, 1, TOP + PLOT, TOP)
    canvas = Canvas(WIDTH, TOP + PLOT + 78)
    share, limit = found["undeclared_stone_fraction"], found["detection_limit"]
    canvas.rect(x(share["low"]), TOP, x(share["high"]) - x(share["low"]), PLOT)
    for value in (0.0, 0.25, 0.5, 0.75, 1.0):
        canvas.line([(x.start, y(value)), (x.end, y(value))], "grid", 0.7)
        canvas.text(x.start - 6, y(value) + 4, sp.share(value), "end", "muted", 11)
    for tenth in range(0, 11, 2):
        canvas.line([(x(tenth / 10), y.start), (x(tenth / 10), y.start + 4)], "muted")
        canvas.text(x(tenth / 10), y.start + 17, sp.share(tenth / 10), "middle", "muted", 11)
    canvas.line([(x.start, y.start), (x.end, y.start)], "ink")
    canvas.line([(x(at), y(chance)) for at, chance in found["profile"]], "seen", 2)
    canvas.line([(x(share["estimate"]), TOP), (x(share["estimate"]), TOP + PLOT)], "ink", 1.4)
    canvas.dot(x(share["estimate"]), y.start, "diamond", "seen", 5)
    if limit < 1:
        canvas.line([(x(limit), TOP - 4), (x(limit), TOP + PLOT)], "odd", 1.8, "7 4")
        anchor = "start" if limit < 0.6 else "end"
        canvas.text(
            x(limit) + (4 if anchor == "start" else -4),
            TOP - 8,
            sp.t(mark("detection limit {limit}"), limit=sp.share(limit)),
            anchor,
            "odd",
            11,
        )
    middle, bottom = (x.start + x.end) / 2, y.start
    canvas.text(middle, bottom + 33, sp.t(mark("undeclared share of stones")), "middle", "muted", 11)
    canvas.line([(8, bottom + 50), (30, bottom + 50)], "seen", 2)
    canvas.text(36, bottom + 54, sp.t(mark("probability that the share is at most this")), size=11)
    canvas.rect(10, bottom + 61, 16, 11)
    canvas.text(36, bottom + 71, sp.t(mark("interval")), size=11)
    canvas.dot(LEFT + 130, bottom + 67, "diamond", "seen", 4.5)
    canvas.text(LEFT + 142, bottom + 71, sp.t(mark("estimate")), size=11)
    return canvas.svg("p-mixture", title, alt)
