"""A chance that rises with the number of stones, and control charts of shipments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log10
from typing import Any

from kpfootprint.report.locale import Words
from kpfootprint.report.pictures.svg import Axis, Canvas, ticks

WIDTH, LEFT, TOP, PLOT = 420.0, 52.0, 22.0, 170.0


def band_curve(
    key: str,
    title: str,
    alt: str,
    points: Sequence[tuple[float, float, float, float]],
    said: Words,
    *,
    x_label: str,
) -> str:
    """Draw a curve within its band over a logarithmic axis; points are (x, low, middle, high), shares of one."""
    xs = [log10(point[0]) for point in points]
    x, y = Axis(xs[0], xs[-1], LEFT, WIDTH - 16), Axis(0, 1, TOP + PLOT, TOP)
    canvas = Canvas(WIDTH, TOP + PLOT + 44)
    lower = [(x(at), y(point[1])) for at, point in zip(xs, points, strict=True)]
    upper = [(x(at), y(point[3])) for at, point in zip(xs, points, strict=True)]
    canvas.area([*upper, *reversed(lower)])
    for value in (0.0, 0.25, 0.5, 0.75, 1.0):
        canvas.line([(x.start, y(value)), (x.end, y(value))], "grid", 0.7)
        canvas.text(x.start - 6, y(value) + 4, said.share(value), "end", "muted", 11)
    canvas.line([(x.start, y(0.9)), (x.end, y(0.9))], "odd", 1.2, "7 4")
    canvas.text(x.end, y(0.9) - 4, said.share(0.9), "end", "odd", 11)
    for position, (at, point) in enumerate(zip(xs, points, strict=True)):
        canvas.line([(x(at), y.start), (x(at), y.start + 4)], "muted")
        if position % 2 == 0 or position == len(points) - 1:
            canvas.text(x(at), y.start + 17, said.number(point[0]), "middle", "muted", 11)
    canvas.line([(x(at), y(point[2])) for at, point in zip(xs, points, strict=True)], "seen", 2)
    canvas.text((x.start + x.end) / 2, y.start + 34, x_label, "middle", "muted", 11)
    return canvas.svg(key, title, alt)


def control_chart(key: str, title: str, alt: str, series: Mapping[str, Any], said: Words) -> str:
    """Draw the shipments of one series with its centre, their limits and its signals."""
    points = series["points"]
    values = [bound for point in points for bound in (point["value"], point["lower"], point["upper"])]
    low, high = min(values), max(values)
    pad = 0.05 * (high - low or 1.0)
    x = Axis(0, max(len(points) - 1, 1), LEFT, WIDTH - 16)
    y = Axis(low - pad, high + pad, TOP + PLOT, TOP)
    canvas = Canvas(WIDTH, TOP + PLOT + 30)
    bounds = [[(x(t), y(point[name])) for t, point in enumerate(points)] for name in ("upper", "lower")]
    canvas.area([*bounds[0], *reversed(bounds[1])])
    for value in ticks(low, high, 4):
        canvas.text(x.start - 6, y(value) + 4, said.number(value, 1), "end", "muted", 11)
    canvas.line([(x.start, y(series["centre"])), (x.end, y(series["centre"]))], "ink", 1, "6 4")
    canvas.line([(x(t), y(point["value"])) for t, point in enumerate(points)], "seen", 1.2)
    signalled = {signal["comparison"] for signal in series["signals"]}
    for t, point in enumerate(points):
        odd = point["comparison"] in signalled
        canvas.dot(x(t), y(point["value"]), "diamond" if odd else "circle", "odd" if odd else "seen", 5 if odd else 3)
    canvas.text(x.start, y.start + 17, said.day(points[0]["at"]), "start", "muted", 11)
    canvas.text(x.end, y.start + 17, said.day(points[-1]["at"]), "end", "muted", 11)
    return canvas.svg(key, title, alt)
