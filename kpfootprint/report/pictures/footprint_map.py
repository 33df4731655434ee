"""The parcel among the reference parcels: an ordination of footprints with the centre of every zone."""

from __future__ import annotations

from collections.abc import Mapping
from math import hypot
from typing import Any

from kpfootprint.report.blocks import Figure, Table
from kpfootprint.report.locale import mark
from kpfootprint.report.pictures.svg import Axis, Canvas
from kpfootprint.report.speaker import Speaker

WIDTH, HEIGHT, EDGE = 420.0, 400.0, 8.0


def footprint_map(sp: Speaker) -> list[Figure]:
    """Return the map, or nothing where the explanation has none."""
    spots = (sp.content["explanation"] or {}).get("footprint_map")
    if spots is None:
        return []
    title = sp.t(mark("The parcel among the reference parcels"))
    ranked = _ranked(sp, spots)
    nearest = [zone for zone, _, _ in ranked[:3]]
    alt = sp.t(
        mark("Every mark is a parcel; parcels with like footprints lie close together. Nearest zone centres: {zones}."),
        zones=sp.zones(nearest),
    )
    return [Figure(key="p-map", title=title, alt=alt, svg=_draw(sp, spots, title, alt), data=_data(sp, title, ranked))]


def _ranked(sp: Speaker, spots: Mapping[str, Any]) -> list[tuple[str, int, float]]:
    """Return (zone id, reference parcels drawn, distance of the centre from the parcel), nearest first."""
    x, y = spots["parcel"]
    rows = [
        (zone, len(spots["references"].get(zone, ())), hypot(at[0] - x, at[1] - y))
        for zone, at in spots["centres"].items()
    ]
    return sorted(rows, key=lambda row: (row[2], sp.zone(row[0])))


def _data(sp: Speaker, title: str, ranked: list[tuple[str, int, float]]) -> Table:
    return Table(
        caption=title,
        header=(sp.t(mark("Zone")), sp.t(mark("Reference parcels")), sp.t(mark("Distance of the zone's centre"))),
        rows=tuple((sp.zone(zone), sp.words.number(n), sp.words.number(far, 2)) for zone, n, far in ranked),
        numeric=(False, True, True),
    )


def _draw(sp: Speaker, spots: Mapping[str, Any], title: str, alt: str) -> str:
    points = [spots["parcel"], *spots["centres"].values(), *(p for many in spots["references"].values() for p in many)]
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    x = Axis(min(xs), max(xs), EDGE + 12, WIDTH - EDGE - 58)
    y = Axis(min(ys), max(ys), HEIGHT - 62, EDGE + 6)
    canvas = Canvas(WIDTH, HEIGHT)
    declared = set(sp.declared_zones)
    order = sorted(spots["references"], key=lambda zone: zone in declared)
    for zone in order:
        for px, py in spots["references"][zone]:
            if zone in declared:
                canvas.dot(x(px), y(py), "circle", "seen", 3)
            else:
                canvas.dot(x(px), y(py), "ring", "muted", 2.4)
    px, py = x(spots["parcel"][0]), y(spots["parcel"][1])
    taken = [(px - 12, py - 12, px + 12, py + 12)]
    for zone in sorted(spots["centres"], key=lambda zone: zone not in declared):
        at = (x(spots["centres"][zone][0]), y(spots["centres"][zone][1]))
        _label(canvas, at, sp.zone(zone), zone in declared, taken)
    canvas.dot(px, py, "star", "odd", 8)
    _key(sp, canvas, bool(declared))
    return canvas.svg("p-map", title, alt)


def _label(
    canvas: Canvas, at: tuple[float, float], name: str, bold: bool, taken: list[tuple[float, float, float, float]]
) -> None:
    """Mark a zone's centre and write its name where nothing is written yet."""
    x, y = at
    canvas.dot(x, y, "square" if bold else "hollow-square", "seen" if bold else "ink", 4)
    width = len(name) * 5.9
    places = [
        (7, 4),
        (-7 - width, 4),
        (-width / 2, -8),
        (-width / 2, 17),
        (7, -9),
        (7, 17),
        (-7 - width, -9),
        (-7 - width, 17),
    ]
    for dx, dy in places:
        box = (x + dx, y + dy - 11, x + dx + width, y + dy + 2)
        inside = box[0] >= 2 and box[2] <= WIDTH - 2 and box[1] >= 2
        if inside and not any(_overlap(box, other) for other in taken):
            break
    else:
        dx, dy = places[0]
        box = (x + dx, y + dy - 11, x + dx + width, y + dy + 2)
    taken.append(box)
    taken.append((x - 4, y - 4, x + 4, y + 4))
    canvas.text(x + dx, y + dy, name, bold=bold, paint="seen" if bold else "ink", size=11, halo=True)


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _key(sp: Speaker, canvas: Canvas, declared: bool) -> None:
    left, right, top, bottom = EDGE, WIDTH / 2 + 26, HEIGHT - 26, HEIGHT - 8
    canvas.line([(EDGE, HEIGHT - 44), (WIDTH - EDGE, HEIGHT - 44)], "grid", 0.7)
    canvas.dot(left + 8, top - 4, "star", "odd", 6)
    canvas.text(left + 20, top, sp.t(mark("this parcel")), size=11)
    canvas.dot(right + 8, top - 4, "ring", "muted", 3)
    canvas.text(right + 20, top, sp.t(mark("other reference parcels")), size=11)
    canvas.dot(right + 8, bottom - 4, "hollow-square", "ink", 4)
    canvas.text(right + 20, bottom, sp.t(mark("centre of a zone")), size=11)
    if declared:
        canvas.dot(left + 8, bottom - 4, "circle", "seen", 3.5)
        canvas.text(left + 20, bottom, sp.t(mark("parcels of declared zones")), size=11)
