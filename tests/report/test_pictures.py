"""Geometry of the pictures: what stands where, told apart without colour."""

from __future__ import annotations

import re
from itertools import pairwise
from math import log10
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpfootprint.report import Report
from kpfootprint.report.blocks import Figure
from kpfootprint.report.locale import words
from kpfootprint.report.pictures import classes, curves, ratio, rows
from kpfootprint.report.pictures import footprint_map as footprint_map_module
from kpfootprint.report.pictures.classes import shares_of_stones
from kpfootprint.report.pictures.curves import mixture_profile
from kpfootprint.report.pictures.footprint_map import MOST_NAMED, footprint_map
from kpfootprint.report.pictures.ratio import lr_scale, shapley_shares
from kpfootprint.report.pictures.rows import ShareRow, share_rows
from kpfootprint.report.pictures.svg import Axis, Canvas, num, ticks, width_of
from kpfootprint.report.report import seal
from kpfootprint.report.sections.parcel import MOST_SHOWN, _attribution
from kpfootprint.report.sentences import Speaker, speaker
from kpfootprint.retold import LANGUAGES
from tests.every import every
from tests.report.factory import KINDS, Kind, make_crowded_report, make_report

SVG = "{http://www.w3.org/2000/svg}"


def drawn(kind: Kind) -> Speaker:
    return speaker(make_report(kind), "en")


def of_classes(sp: Speaker) -> list[Figure]:
    return [figure for figures in shares_of_stones(sp).values() for figure in figures]


def test_an_axis_is_linear_and_holds_what_lies_beyond() -> None:
    axis = Axis(-3, 3, 20, 620)
    assert [axis(value) for value in (-3, 0, 3, 9)] == [20, 320, 620, 620]
    assert Axis(1, 1, 0, 10)(1) == 0


@given(st.floats(min_value=1e-3, max_value=1e3))
def test_ticks_are_round_within_the_span_and_not_too_many(high: float) -> None:
    values = ticks(0, high)
    assert values[0] == 0
    assert values[-1] <= high * (1 + 1e-6)
    assert 2 <= len(values) <= 11


def test_numbers_are_short() -> None:
    assert [num(value) for value in (1.0, 1.005, 0.1, -0.001)] in (
        ["1", "1", "0.1", "-0"],
        ["1", "1", "0.1", "0"],
        ["1", "1.01", "0.1", "-0"],
    )


@pytest.mark.parametrize("drawn_by", [classes, curves, footprint_map_module, ratio, rows])
def test_a_picture_is_as_wide_as_a_telephone_so_that_its_text_keeps_its_size(drawn_by: Any) -> None:
    assert drawn_by.WIDTH <= 350


@every("name", ["a zone whose name somebody wrote out in full 12", "Цвет / colour? " * 9, "\U0001f48e" * 40])
@every("anchor", ["start", "middle", "end"])
def test_no_text_leaves_its_picture_and_its_end_is_kept(name: str, anchor: str) -> None:
    canvas = Canvas(350, 20)
    canvas.text(112, 10, name, anchor, size=11)
    shown = ET.fromstring(canvas.svg("p", "t", "d"))[2].text or ""
    assert width_of(shown, 11) <= 350
    assert shown.endswith(name[-2:])
    assert shown.startswith(name[:3])


def test_text_is_escaped() -> None:
    canvas = Canvas(100, 10)
    canvas.text(0, 0, '<b> & "c"')
    root = ET.fromstring(canvas.svg("p", "a < b", "c > d"))
    assert root[0].text == "a < b"
    assert root[2].text == '<b> & "c"'


def test_a_class_outside_its_range_is_a_triangle_and_named() -> None:
    figures = {figure.key: figure for figure in of_classes(drawn("query"))}
    assert set(figures) == {"p-size", "p-size-cumulative", "p-colour", "p-morphology"}
    outside = len(re.findall(r'<polygon[^>]*class="f-odd', figures["p-colour"].svg))
    assert outside == 2  # one in the legend, one for brown
    assert figures["p-colour"].alt == "Outside the expected range: brown. All other classes lie within it."
    assert figures["p-size"].alt == "Every class lies within its expected range."


def test_sizes_stand_on_log_carats() -> None:
    (figure, *_) = of_classes(drawn("query"))
    root = ET.fromstring(figure.svg)
    boxes = [box for box in root.iter(f"{SVG}rect") if float(box.get("y", 0)) > 32]
    widths = [float(box.get("width", 0)) for box in boxes]
    assert len(boxes) == 14
    ratio = (widths[2] + 2) / (widths[1] + 2)
    assert ratio == pytest.approx(log10(0.075 / 0.045) / log10(0.045 / 0.025), rel=0.01)


def test_the_cumulative_line_ends_at_all_stones_within_its_range() -> None:
    figure = of_classes(drawn("query"))[1]
    assert figure.data.rows[-1][:2] == ("all", "100%")
    assert figure.data.rows[-1][3] == "100% to 100%"


def test_a_parcel_without_a_declaration_has_no_ranges() -> None:
    for figure in of_classes(drawn("undeclared")):
        assert "<rect" not in figure.svg
        assert "f-odd" not in figure.svg


def test_class_names_of_another_sieve_set_are_drawn_as_rows() -> None:
    content = make_report("query").content
    for item in content["explanation"]["classes"]:
        if item["attribute"] == "size":
            item["class"] = "house " + item["class"]
    figures = of_classes(speaker(seal(content), "en"))
    assert [figure.key for figure in figures] == ["p-size", "p-colour", "p-morphology"]
    assert "house +3" in figures[0].svg


def marks(svg: str) -> list[tuple[float, float]]:
    """Return the middle of every filled diamond but the legend's."""
    found = re.findall(r'<polygon points="([^"]+)" class="f-seen', svg)
    middles = []
    for points in found:
        corners = [tuple(map(float, pair.split(","))) for pair in points.split()]
        middles.append((sum(c[0] for c in corners) / 4, sum(c[1] for c in corners) / 4))
    return middles


def test_the_likelihood_ratio_stands_where_it_belongs() -> None:
    (figure,) = lr_scale(drawn("query"))
    (x, _), _ = marks(figure.svg)
    assert x == pytest.approx(Axis(-3, 3, 20, 330)(-1.704), abs=0.1)
    assert "\u22121.70" in figure.alt


def test_a_bounded_ratio_shows_its_unbounded_value_as_a_hollow_mark() -> None:
    consistent, query = lr_scale(drawn("consistent"))[0].svg, lr_scale(drawn("query"))[0].svg
    assert consistent.count('class="f-paper s-ink"') == query.count('class="f-paper s-ink"') + 1


def test_the_detection_limit_is_drawn_where_there_is_one() -> None:
    assert "detection limit 22%" in mixture_profile(drawn("query"))[0].svg
    (small,) = mixture_profile(drawn("inconclusive"))
    assert "detection limit" not in small.svg
    assert "no share would be found" in small.alt


def test_the_map_names_every_zone_and_no_name_stands_on_another() -> None:
    (figure,) = footprint_map(drawn("query"))
    root = ET.fromstring(figure.svg)
    names = {zone["zone_id"]: zone["name"] for zone in make_report("query").content["model"]["zones"]}
    zones = [names[zone] for zone in make_report("query").content["explanation"]["footprint_map"]["centres"]]
    places = {t.text: (float(t.get("x", 0)), float(t.get("y", 0))) for t in root.iter(f"{SVG}text") if t.text in zones}
    assert set(places) == set(zones)
    for side in {x for x, _ in places.values()}:
        heights = sorted(y for x, y in places.values() if x == side)
        assert all(above + 11 <= below for above, below in pairwise(heights))
    assert len(figure.data.rows) == len(zones)
    assert figure.data.rows[0][0] in figure.alt


def test_the_map_holds_parcels_that_lie_far_off() -> None:
    content = make_report("query").content
    content["explanation"]["footprint_map"]["references"]["kasai"][0] = [400.0, -900.0]
    (figure,) = footprint_map(speaker(seal(content), "en"))
    rings = re.findall(r'<circle cx="([^"]+)" cy="([^"]+)"', figure.svg)
    assert max(float(x) for x, _ in rings[:-1]) <= 350
    middle = sorted(float(x) for x, _ in rings)[len(rings) // 2]
    assert 100 < middle < 250


def test_names_too_long_for_the_map_lose_the_words_that_all_begin_with() -> None:
    content = make_report("query").content
    for zone in content["model"]["zones"]:
        zone["name"] = f"Sous-pr\u00e9fecture de {zone['name']}"
    (figure,) = footprint_map(speaker(seal(content), "fr"))
    drawn_names = {item.text for item in ET.fromstring(figure.svg).iter(f"{SVG}text")}
    assert {"Carnot", "Sam-Ouandja", "Nd\u00e9l\u00e9"} <= drawn_names


def test_long_names_of_sorters_leave_room_for_each_other() -> None:
    names = ("Exportateur", "Minist\u00e8re des Mines et de la G\u00e9ologie", "Ind\u00e9pendant")
    row = ShareRow(name="brun", values=(0.2, 0.3, 0.25))
    root = ET.fromstring(share_rows([row], words("fr"), names).svg("k", "t", "a"))
    legend = [text for text in root.iter(f"{SVG}text") if text.get("y") == "14"]
    for text, following in pairwise(legend):
        wide = width_of(str(text.text), float(text.get("font-size", 0)))
        assert float(text.get("x", 0)) + wide < float(following.get("x", 0)) - 12


def test_long_names_of_classes_are_told_apart_by_their_ends() -> None:
    content = make_report("query").content
    for entry in content["model"]["attributes"][1]["classes"]:
        entry["labels"] = {"en": f"extraordinarily and most remarkably {entry['name']}"}
    (figure,) = shares_of_stones(speaker(seal(content), "en"))["colour"]
    labels = [item.text for item in ET.fromstring(figure.svg).iter(f"{SVG}text") if "extra" in str(item.text)]
    assert len(set(labels)) == len(labels) == 6


def test_a_picture_without_ranges_says_why_for_what_was_declared_too() -> None:
    assert all("nothing was declared" not in figure.alt for figure in of_classes(drawn("undeclared")))
    assert any("there is nothing to compare them with" in figure.alt for figure in of_classes(drawn("undeclared")))


def test_shares_end_with_their_sum() -> None:
    (figure,) = shapley_shares(drawn("query"))
    assert figure.data.rows[-1] == ("Sum", "\u22121.704")
    assert sum(round(1000 * float(row[1].replace("\u2212", "-"))) for row in figure.data.rows[:-1]) == -1704


@pytest.mark.parametrize("kind", KINDS)
def test_every_mark_lies_within_its_picture(kind: Kind) -> None:
    sp = drawn(kind)
    for figure in (*of_classes(sp), *footprint_map(sp), *lr_scale(sp), *mixture_profile(sp), *shapley_shares(sp)):
        root = ET.fromstring(figure.svg)
        _, _, width, height = map(float, root.get("viewBox", "").split())
        for element in root.iter():
            if element.tag in (f"{SVG}polygon", f"{SVG}polyline"):
                for pair in element.get("points", "").split():
                    x, y = map(float, pair.split(","))
                    assert -1 <= x <= width + 1
                    assert -1 <= y <= height + 1
            if element.tag == f"{SVG}text":
                assert 0 <= float(element.get("x", 0)) <= width
                assert 0 <= float(element.get("y", 0)) <= height


@every("lang", LANGUAGES)
@every("kind", KINDS)
def test_no_text_of_a_picture_lies_on_another(kind: Kind, lang: str) -> None:
    sp = speaker(make_report(kind), lang)
    for figure in (*lr_scale(sp), *mixture_profile(sp), *shapley_shares(sp)):
        taken: dict[float, list[tuple[float, float]]] = {}
        for element in ET.fromstring(figure.svg).iter(f"{SVG}text"):
            size = float(element.get("font-size", 0)) * (0.58 if element.get("font-weight") == "bold" else 0.5)
            width = size * len("".join(element.itertext()))
            x = float(element.get("x", 0)) - width * {"middle": 0.5, "end": 1.0}.get(element.get("text-anchor", ""), 0)
            taken.setdefault(float(element.get("y", 0)), []).append((x, x + width))
        for spans in taken.values():
            spans.sort()
            assert all(end <= start for (_, end), (start, _) in pairwise(spans)), (figure.key, lang, spans)


def test_pictures_need_nothing_that_is_absent() -> None:
    content = make_report("query").content
    content["explanation"]["footprint_map"] = None
    content["mixture"]["profile"] = []
    content["explanation"]["classes"] = []
    report: Report = seal(content)
    sp = speaker(report, "fr")
    assert footprint_map(sp) == mixture_profile(sp) == of_classes(sp) == []


@pytest.mark.parametrize("kind", KINDS)
def test_text_is_large_enough_on_a_phone(kind: Kind) -> None:
    """A phone shows a picture at 350 pixels: 11 units of the view box are 11 pixels there."""
    sp = drawn(kind)
    for figure in (*of_classes(sp), *footprint_map(sp), *lr_scale(sp), *mixture_profile(sp), *shapley_shares(sp)):
        root = ET.fromstring(figure.svg)
        width = float(root.get("viewBox", "").split()[2])
        assert all(float(text.get("font-size", 0)) * 350 / width >= 11 for text in root.iter(f"{SVG}text"))


def test_of_many_zones_the_nearest_are_named_and_the_others_counted_together() -> None:
    content = make_crowded_report(60).content
    zones, inside = content["attribution"]["zones"], content["attribution"]["prediction_set"]
    inside.append(zones[-1]["zone_id"])
    names = {zone["zone_id"]: zone["name"] for zone in content["model"]["zones"]}
    sp = speaker(seal(content), "en")
    rows = _attribution(sp, content["attribution"]).rows
    shown = [row[0] for row in rows[:-2]]
    assert rows[-2][0] == f"{len(zones) - len(shown)} other zones, together"
    assert {names[zone] for zone in inside if zone in names} <= set(shown)
    assert MOST_SHOWN <= len(shown) <= MOST_SHOWN + len(inside)
    (figure,) = footprint_map(sp)
    drawn_names = {item.text for item in ET.fromstring(figure.svg).iter(f"{SVG}text")}
    named = [zone for zone in names if footprint_map_module._short(names[zone]) in drawn_names]
    assert set(sp.declared_zones) <= set(named)
    assert MOST_NAMED <= len(named) <= MOST_NAMED + len(sp.declared_zones)
    assert len(figure.data.rows) == len(content["explanation"]["footprint_map"]["centres"])
