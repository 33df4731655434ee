"""The parcel among the reference parcels: an ordination of footprints with the centre of every zone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import takewhile
from math import asinh, hypot
from statistics import median
from typing import Any

from kpfootprint.report.blocks import Figure
from kpfootprint.report.locale import mark
from kpfootprint.report.pictures.svg import Axis, Canvas
from kpfootprint.report.sentences import Speaker

WIDTH, HEIGHT, EDGE = 350.0, 350.0, 6.0
PLOT = (106.0, 244.0)
"""Left and right end of the plot; zone names stand beside it."""
NAME_STEP = 14.0
LONGEST = 15
"""Characters of a name that fit beside the plot."""
MOST_NAMED = 32
"""Zones whose names stand beside the plot, the nearest where there are more; declared ones are always named."""


def footprint_map(sp: Speaker) -> list[Figure]:
    """Return the map, or nothing where the explanation has none."""
    spots = (sp.content["explanation"] or {}).get("footprint_map")
    if spots is None:
        return []
    title = sp.t("The parcel among the reference parcels")
    ranked = _ranked(sp, spots)
    nearest = [zone for zone, _, _ in ranked[:3]]
    alt = sp.t(
        "Every mark is a parcel; parcels with like footprints lie close together, far ones are drawn closer than "
        "they are. Nearest zone centres: {zones}.",
        zones=sp.zones(nearest),
    )
    data = sp.columns(
        title,
        ranked,
        (mark("Zone"), sp.zone, 0),
        (mark("Reference parcels"), sp.words.number, 1),
        (mark("Distance of the zone's centre"), sp.distance, 2),
    )
    return [Figure(key="p-map", title=title, alt=alt, canvas=_draw(sp, spots), data=data)]


def _ranked(sp: Speaker, spots: Mapping[str, Any]) -> list[tuple[str, int, float]]:
    """Return (zone id, reference parcels drawn, distance of the centre from the parcel), nearest first."""
    x, y = spots["parcel"]
    rows = [
        (zone, len(spots["references"].get(zone, ())), hypot(at[0] - x, at[1] - y))
        for zone, at in spots["centres"].items()
    ]
    return sorted(rows, key=lambda row: (row[2], sp.zone(row[0])))


def _draw(sp: Speaker, spots: Mapping[str, Any]) -> Canvas:
    points = [spots["parcel"], *spots["centres"].values(), *(p for many in spots["references"].values() for p in many)]
    x = _axis([p[0] for p in points], PLOT[0], PLOT[1])
    y = _axis([p[1] for p in points], HEIGHT - 62, 14)
    canvas = Canvas(WIDTH, HEIGHT)
    declared = set(sp.declared_zones)
    centres = {zone: (x(at[0]), y(at[1])) for zone, at in spots["centres"].items()}
    near = {zone for zone, _, _ in _ranked(sp, spots)[:MOST_NAMED]}
    names = _placed({zone: at for zone, at in centres.items() if zone in near | declared})
    for zone in sorted(spots["references"], key=lambda zone: zone in declared):
        for px, py in spots["references"][zone]:
            if zone in declared:
                canvas.dot(x(px), y(py), "circle", "seen", 2.8)
            else:
                canvas.dot(x(px), y(py), "ring", "muted", 2.2)
    for zone, (name_x, name_y) in names.items():
        canvas.line([(name_x + (4 if name_x < WIDTH / 2 else -4), name_y - 4), centres[zone]], "muted", 0.6)
    for zone in sorted(centres, key=lambda zone: zone in declared):
        ours = zone in declared
        canvas.dot(*centres[zone], "square" if ours else "hollow-square", "seen" if ours else "ink", 3.6)
    shown = _told_apart({zone: sp.zone(zone) for zone in names})
    for zone, (name_x, name_y) in names.items():
        ours, anchor = zone in declared, "end" if name_x < WIDTH / 2 else "start"
        canvas.text(name_x, name_y, _short(shown[zone]), anchor, "seen" if ours else "ink", 11, bold=ours)
    canvas.dot(x(spots["parcel"][0]), y(spots["parcel"][1]), "star", "odd", 8)
    _key(sp, canvas, bool(declared))
    return canvas


def _axis(values: list[float], start: float, end: float) -> Callable[[float], float]:
    """Return a scale that is linear about the middle of the values and draws far ones closer (inverse sinh)."""
    middle = median(values)
    spread = median(abs(value - middle) for value in values) or max(abs(value - middle) for value in values) or 1.0

    def drawn_in(value: float) -> float:
        return asinh((value - middle) / (2 * spread))

    linear = Axis(min(map(drawn_in, values)), max(map(drawn_in, values)), start, end)
    return lambda value: linear(drawn_in(value))


def _placed(centres: Mapping[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    """Return where each zone's name stands: in two columns beside the plot, in the order of height, none on another."""
    by_x = sorted(centres, key=lambda zone: (centres[zone][0], zone))
    half = len(by_x) // 2
    places: dict[str, tuple[float, float]] = {}
    for column, name_x in ((by_x[:half], PLOT[0] - 8), (by_x[half:], PLOT[1] + 8)):
        rising = sorted(column, key=lambda zone: (centres[zone][1], zone))
        step = min(NAME_STEP, (HEIGHT - 72) / max(len(rising), 1))
        heights: list[float] = []
        for zone in rising:
            wanted = centres[zone][1] + 4
            heights.append(max(wanted, heights[-1] + step) if heights else max(wanted, 16.0))
        for i in range(len(heights) - 1, -1, -1):
            heights[i] = min(heights[i], (heights[i + 1] if i + 1 < len(heights) else HEIGHT - 50 + step) - step)
        places |= {zone: (name_x, height) for zone, height in zip(rising, heights, strict=True)}
    return places


def _told_apart(names: Mapping[str, str]) -> dict[str, str]:
    """Return names without the words that all begin with, where one is too long to stand beside the plot."""
    words = [name.split(" ") for name in names.values()]
    long = len(words) > 1 and any(len(name) > LONGEST for name in names.values())
    alike = takewhile(lambda same: len(set(same)) == 1, zip(*(said[:-1] for said in words), strict=False))
    first = len(list(alike)) if long else 0
    return {zone: " ".join(said[first:]) for zone, said in zip(names, words, strict=True)}


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[:9]}\u2026{name[-5:]}"


def _key(sp: Speaker, canvas: Canvas, declared: bool) -> None:
    left, right, top, bottom = EDGE, WIDTH / 2 + 6, HEIGHT - 26, HEIGHT - 8
    canvas.line([(EDGE, HEIGHT - 44), (WIDTH - EDGE, HEIGHT - 44)], "grid", 0.7)
    canvas.dot(left + 8, top - 4, "star", "odd", 5)
    canvas.text(left + 20, top, sp.t("this parcel"), size=11)
    canvas.dot(right + 8, top - 4, "ring", "muted", 3)
    canvas.text(right + 20, top, sp.t("other reference parcels"), size=11)
    canvas.dot(right + 8, bottom - 4, "hollow-square", "ink", 4)
    canvas.text(right + 20, bottom, sp.t("centre of a zone"), size=11)
    if declared:
        canvas.dot(left + 8, bottom - 4, "circle", "seen", 3.5)
        canvas.text(left + 20, bottom, sp.t("parcels of declared zones"), size=11)
