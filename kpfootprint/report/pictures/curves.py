"""A chance that rises with the number of stones, how probable an undeclared share is, control charts of shipments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, exp, floor, log, log10
from typing import Any

from kpfootprint.report.blocks import Figure
from kpfootprint.report.locale import Words, mark
from kpfootprint.report.pictures.svg import Axis, Canvas, ticks
from kpfootprint.report.sentences import Speaker

WIDTH, LEFT, TOP, PLOT = 350.0, 48.0, 22.0, 142.0
NARROW, WIDE, MOST_MARKS = 3.0, 100.0, 6
"""An axis of multiples has round marks, from such a range on 1, 2, 5, 10, and then powers of ten, at most so many."""


def band_curve(points: Sequence[tuple[float, float, float, float]], said: Words, x_label: str) -> Canvas:
    """Draw a curve within its band over a logarithmic axis; points are (x, low, middle, high), shares of one."""
    xs = [log10(point[0]) for point in points]
    x, y = Axis(xs[0], xs[-1], LEFT, WIDTH - 16), Axis(0, 1, TOP + PLOT, TOP)
    canvas = Canvas(WIDTH, TOP + PLOT + 44)
    lower = [(x(at), y(point[1])) for at, point in zip(xs, points, strict=True)]
    upper = [(x(at), y(point[3])) for at, point in zip(xs, points, strict=True)]
    canvas.area([*upper, *reversed(lower)])
    _quarters(canvas, x, y, said)
    canvas.line([(x.start, y(0.9)), (x.end, y(0.9))], "odd", 1.2, "7 4")
    canvas.text(x.end, y(0.9) - 4, said.share(0.9), "end", "odd", 11)
    for position, (at, point) in enumerate(zip(xs, points, strict=True)):
        canvas.line([(x(at), y.start), (x(at), y.start + 4)], "muted")
        if (len(points) - 1 - position) % 2 == 0:
            canvas.text(x(at), y.start + 17, said.number(point[0]), "middle", "muted", 11)
    canvas.line([(x(at), y(point[2])) for at, point in zip(xs, points, strict=True)], "seen", 2)
    canvas.text((x.start + x.end) / 2, y.start + 34, x_label, "middle", "muted", 11)
    return canvas


def control_chart(series: Mapping[str, Any], said: Words) -> Canvas:
    """Draw the shipments of one series with its centre, their limits and its signals.

    What is followed as a logarithm has marks at multiples of the centre, a share at shares.
    """
    points, name = series["points"], series["name"]
    values = [bound for point in points for bound in (point["value"], point["lower"], point["upper"])]
    low, high = min(values), max(values)
    if name == "undeclared":
        low, high = max(low, 0.0), min(high, 1.0)
    pad = 0.05 * (high - low or 1.0)
    x = Axis(0, max(len(points) - 1, 1), LEFT, WIDTH - 16)
    y = Axis(low - pad, high + pad, TOP + PLOT, TOP)
    canvas = Canvas(WIDTH, TOP + PLOT + 30)
    bounds = [[(x(t), y(point[name])) for t, point in enumerate(points)] for name in ("upper", "lower")]
    canvas.area([*bounds[0], *reversed(bounds[1])])
    for value, shown in _marks(name, series["centre"], low, high, said):
        canvas.line([(x.start - 4, y(value)), (x.start, y(value))], "muted")
        canvas.text(x.start - 7, y(value) + 4, shown, "end", "muted", 11)
    canvas.line([(x.start, y(series["centre"])), (x.end, y(series["centre"]))], "ink", 1, "6 4")
    canvas.line([(x(t), y(point["value"])) for t, point in enumerate(points)], "seen", 1.2)
    signalled = {signal["comparison"] for signal in series["signals"]}
    for t, point in enumerate(points):
        odd = point["comparison"] in signalled
        canvas.dot(x(t), y(point["value"]), "diamond" if odd else "circle", "odd" if odd else "seen", 5 if odd else 3)
        canvas.line([(x(t), y.start), (x(t), y.start + 4)], "muted")
    first, last = (said.day(points[t]["at"]) for t in (0, -1))
    canvas.text(x.start, y.start + 17, first, "start", "muted", 11)
    if last != first:
        canvas.text(x.end, y.start + 17, last, "end", "muted", 11)
    return canvas


def on_axis(series: Mapping[str, Any], value: float, said: Words) -> str:
    """Return a value of a control chart in the unit of its axis: a share, a log10 LR, a multiple of the centre."""
    if series["name"] == "undeclared":
        return said.share(min(max(value, 0.0), 1.0))
    if series["name"] == "log10_lr":
        return said.number(value, 2)
    times = exp(value - series["centre"])
    return f"\u00d7{said.number(times, 2 if times < 10.0 else 0)}"


def _marks(name: str, centre: float, low: float, high: float, said: Words) -> list[tuple[float, str]]:
    """Return where an axis has marks, and what stands at them."""
    if name == "undeclared":
        return [(value, said.share(value)) for value in ticks(low, high, 4)]
    if name == "log10_lr":
        return [(value, said.number(value, 1)) for value in ticks(low, high, 4)]
    least, most = exp(low - centre), exp(high - centre)
    if most < NARROW * least:
        times = [one for one in ticks(least, most, 8) if one > 0]
    elif most < WIDE * least:
        steps = (1, 1.5, 2, 3, 5, 7) if most < 10.0 * least else (1, 2, 5)
        times = [m * 10.0**power for power in range(-3, 4) for m in steps if least <= m * 10.0**power <= most]
    else:
        decades = range(ceil(log10(least)), floor(log10(most)) + 1)
        every = -(-len(decades) // MOST_MARKS)
        times = [10.0**power for power in decades if power % every == 0]
    return [
        (centre + log(one), f"\u00d7{said.trimmed(one, 3) if one >= 0.01 else f'10^{said.number(round(log10(one)))}'}")
        for one in times
    ]


def _quarters(canvas: Canvas, x: Axis, y: Axis, said: Words) -> None:
    """Draw an axis of shares with a mark at every quarter."""
    for value in (0.0, 0.25, 0.5, 0.75, 1.0):
        canvas.line([(x.start, y(value)), (x.end, y(value))], "grid", 0.7)
        canvas.text(x.start - 6, y(value) + 4, said.share(value), "end", "muted", 11)


def mixture_profile(sp: Speaker) -> list[Figure]:
    """Return how probable it is that the undeclared share is at most so much; nothing where that is not known."""
    found = sp.content["mixture"]
    if found is None or len(found["profile"]) < 2:
        return []
    title = sp.t("The undeclared share of stones")
    limit = found["detection_limit"]
    alt = sp.t("Undeclared share {share}.", share=sp.between(found["undeclared_stone_fraction"])) + " "
    if limit < 1:
        alt += sp.t("A share of {limit} or more would be found nine times in ten.", limit=sp.share(limit))
    else:
        alt += sp.t("At this size no share would be found nine times in ten.")
    profile = found["profile"]
    kept = profile[:: max(1, len(profile) // 20)]  # some twenty points, its ends among them
    data = sp.columns(
        title,
        kept if kept[-1] == profile[-1] else [*kept, profile[-1]],
        (mark("Share of stones"), sp.share, 0),
        (mark("Probability of at most this"), sp.share, 1),
        numeric=(True, True),
    )
    return [Figure(key="p-mixture", title=title, alt=alt, canvas=_profile(sp, found), data=data)]


def _profile(sp: Speaker, found: Mapping[str, Any]) -> Canvas:
    left, top, plot = 40.0, 28.0, 120.0
    x, y = Axis(0, 1, left, WIDTH - 16), Axis(0, 1, top + plot, top)
    canvas = Canvas(WIDTH, top + plot + 78)
    share, limit = found["undeclared_stone_fraction"], found["detection_limit"]
    canvas.rect(x(share["low"]), top, x(share["high"]) - x(share["low"]), plot)
    _quarters(canvas, x, y, sp.words)
    for fifth in range(6):
        canvas.line([(x(fifth / 5), y.start), (x(fifth / 5), y.start + 4)], "muted")
        canvas.text(x(fifth / 5), y.start + 17, sp.share(fifth / 5), "middle", "muted", 11)
    canvas.line([(x.start, y.start), (x.end, y.start)], "ink")
    canvas.line([(x(at), y(chance)) for at, chance in found["profile"]], "seen", 2)
    canvas.line([(x(share["estimate"]), top), (x(share["estimate"]), top + plot)], "ink", 1.4)
    canvas.dot(x(share["estimate"]), y.start, "diamond", "seen", 5)
    if limit < 1:
        canvas.line([(x(limit), top - 4), (x(limit), top + plot)], "odd", 1.8, "7 4")
        anchor, gap = ("start", 4) if limit < 0.6 else ("end", -4)
        said = sp.t("detection limit {limit}", limit=sp.share(limit))
        canvas.text(x(limit) + gap, top - 8, said, anchor, "odd", 11)
    middle, bottom = (x.start + x.end) / 2, y.start
    canvas.text(middle, bottom + 33, sp.t("undeclared share of stones"), "middle", "muted", 11)
    canvas.line([(8, bottom + 50), (30, bottom + 50)], "seen", 2)
    canvas.text(36, bottom + 54, sp.t("probability that the share is at most this"), size=11)
    canvas.rect(10, bottom + 61, 16, 11)
    canvas.text(36, bottom + 71, sp.t("interval"), size=11)
    canvas.dot(left + 130, bottom + 67, "diamond", "seen", 4.5)
    canvas.text(left + 142, bottom + 71, sp.t("estimate"), size=11)
    return canvas
