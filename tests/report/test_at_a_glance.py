"""What a first page says of declarations that the examples do not make: nothing false, nothing twice, nothing cut."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kpfootprint.comparison.results import DeclaredZone, Mixture, ShareReading
from kpfootprint.report import Report, build_report, render_text
from kpfootprint.report.blocks import Beside, Table
from kpfootprint.report.report import seal
from kpfootprint.report.text import WIDTH
from kpfootprint.report.whole import lay_out
from tests.report.factory import (
    CREATED_AT,
    KINDS,
    ZONES,
    make_cautions,
    make_examination,
    make_mixture,
    make_model,
    make_parcel,
    make_report,
    make_verification,
    statement,
)


def first_page(report: Report, lang: str = "en") -> str:
    text = render_text(report, lang).replace("\u00a0", " ")
    return " ".join(text[: text.index("\n\n", text.index("-----\n"))].split())


def declared(*statuses: str | None) -> tuple[DeclaredZone, ...]:
    zones = [zone[0] for zone in ZONES]
    return tuple(
        DeclaredZone(zone_id=zone, carats=None, status_on_export_date=status)
        for zone, status in zip(zones, statuses, strict=False)
    )


def test_a_zone_that_the_table_does_not_know_is_not_called_not_compliant() -> None:
    said = first_page(make_report("query", declared=declared("compliant", "suspended", "not_covered")))
    assert (
        "Status of the declared zones on 17 April 2026: PARTLY NOT COMPLIANT (Carnot); not in the zone table (Nola)"
        in said
    )
    only = first_page(make_report("query", declared=declared("compliant", "not_covered")))
    assert "Status of the declared zones on 17 April 2026: not in the zone table (Carnot)" in only


@pytest.mark.parametrize(
    ("caution", "said"),
    [
        (("no_export_date", {"status_on": "2026-04-17"}), "the day of the comparison as no export date is given"),
        (("export_date_in_future", {"day": "2026-04-17", "compared_on": "2026-01-02"}), "a day still to come"),
    ],
)
def test_a_status_says_of_which_day_it_is(caution: tuple[str, dict[str, Any]], said: str) -> None:
    code, values = caution
    report = make_report("consistent", cautions=(*make_cautions("consistent"), statement(code, **values)))
    box = first_page(report)
    assert f"Status of the declared zone on 17 April 2026, {said}" in box
    assert "compliant" in box
    assert "Status of the declared zone on 17 April 2026: compliant" in first_page(make_report("consistent"))


def test_a_blend_that_was_declared_by_percent_is_named_so() -> None:
    carats = ((ZONES[0][0], 142.39), (ZONES[1][0], 71.41))
    zones = tuple(DeclaredZone(zone_id=z, carats=ct, status_on_export_date="compliant") for z, ct in carats)
    content = make_report("consistent", declared=zones).content
    assert "142.39 ct and" in first_page(seal(content))
    values = {"log10_lr": 0.1, "favours": "H1"}
    content["explanation"]["sentences"].append({"code": "split", "values": values, "text": "It suits."})
    assert "66.6% and" in first_page(seal(content))
    assert "142.39 ct and" not in first_page(seal(content))


def test_a_name_that_a_program_gave_is_no_title() -> None:
    unnamed = statement("parcel_unnamed", parcel_id="parcel")
    report = make_report("consistent", cautions=(*make_cautions("consistent"), unnamed))
    assert render_text(report, "en").startswith("Footprint comparison of a parcel without a name\n")
    assert render_text(report, "fr").startswith("Comparaison d\u2019empreinte d\u2019un lot sans nom\n")


def test_cautions_that_differ_in_their_zone_alone_are_one() -> None:
    zones = ("berberati", "carnot", "kasai")
    cautions = (
        *(statement("zone_not_compliant", zone=zone, status="suspended", day="2026-04-17") for zone in zones),
        *(statement("few_references", zone=zone, n_parcels=12) for zone in zones),
        statement("few_references", zone="nola", n_parcels=9),
        statement("zone_without_reference", zone="bakouma"),
    )
    report = make_report("query", cautions=cautions)
    english, french = first_page(report), first_page(report, "fr")
    assert english.count("The footprint does not speak of that.") == 1
    assert "Berbérati, Carnot and Kasaï were not compliant on 17 April 2026 (status: suspended)" in english
    assert "Berbérati, Carnot et Kasaï n’étaient pas conformes le 17 avril 2026" in french
    assert "12 parcels each of Berbérati, Carnot and Kasaï" in english
    assert "9 parcels of Nola" in english
    assert "There is no reference parcel of Bakouma, or too few" in english
    assert len(report.content["cautions"]) == len(cautions)


@pytest.mark.parametrize(
    ("n", "english", "french"),
    [
        (1, "The parcel is unlike Berbérati.", "Le lot ne ressemble pas à Berbérati."),
        (2, "unlike the declared blend of Berbérati and Carnot.", "pas au mélange déclaré de Berbérati et de Carnot."),
        (9, "unlike the declared blend of 9 zones.", "pas au mélange déclaré de 9 zones."),
    ],
)
def test_a_parcel_is_unlike_the_blend_and_not_unlike_each_of_its_zones(n: int, english: str, french: str) -> None:
    report = make_report("query")
    content = report.content
    for sentence in content["explanation"]["sentences"]:
        if "zones" in sentence["values"] and not sentence["code"].startswith("next"):
            sentence["values"]["zones"] = [zone[0] for zone in ZONES[:n]]
    changed = seal(content)
    assert english in first_page(changed)
    assert french in first_page(changed, "fr")


def test_a_source_that_would_have_no_stones_is_not_read() -> None:
    found = make_mixture("query")
    none = replace(found.sources[0].share, estimate=0.0, low=0.0, high=0.1)
    few = replace(found.sources[0].share, estimate=0.2, low=0.1, high=0.3)
    mixture: Mixture = replace(
        found, sources=tuple(replace(source, share=none) for source in found.sources[:2]) + found.sources[2:]
    )
    report = make_report("query", mixture=mixture)
    assert "0% from" not in first_page(report)
    table = render_text(report, "en").partition("Where undeclared goods could come from")[2].partition("\n\n")[0]
    assert [line.split()[0] for line in table.splitlines()[2:]] == ["a"]  # source nobody has sampled
    two = replace(found, sources=tuple(replace(source, share=few) for source in found.sources[:2]))
    assert "20% from Bria or 20% from Sam-Ouandja" in first_page(make_report("query", mixture=two))


def test_classes_that_go_together_as_in_several_goods_are_told_in_words() -> None:
    found = make_mixture("consistent")
    for p_value, told in ((0.017, True), (0.37, False)):
        text = render_text(make_report("consistent", mixture=replace(found, association_p=p_value)), "en")
        assert ("speaks for goods of several kinds (p = 0.017)" in " ".join(text.split())) == told


def test_a_ratio_held_at_its_bound_has_no_interval_without_width() -> None:
    found = make_verification("consistent")
    report = make_report("consistent", verification=replace(found, low=found.log10_lr, high=found.log10_lr))
    assert "2.22, held at its bound with all of its 90% interval; bounds" in first_page(report)
    assert "2.22 to 2.22" not in first_page(report)


def test_what_is_like_its_declaration_says_what_else_it_is_like_and_what_is_not_ruled_out() -> None:
    content = make_report("consistent").content
    for sentence in content["explanation"]["sentences"]:
        if sentence["code"] == "headline_like":
            sentence["values"]["other_zones"] = ["carnot", "unlisted"]
    english, french = first_page(seal(content)), first_page(seal(content), "fr")
    assert "like Berbérati; it could also come from Carnot or a source nobody has sampled." in english
    assert "il pourrait aussi provenir de Carnot ou d’une source jamais échantillonnée." in french
    assert "Not ruled out: By what this parcel shows: that up to 14% of its stones are undeclared goods." in english


def test_evidence_is_never_said_to_be_as_expected_and_against() -> None:
    values = {"attribute": "colour", "class": "white", "zones": ("berberati",), "observed": 0.3, "expected": 0.3}
    values |= {"low": 0.2, "high": 0.4, "evidence_share": 0.4}
    for favours, contribution in (("H1", 0.6), ("H2", -0.6)):
        content = make_report("consistent").content
        content["explanation"]["sentences"][0]["values"] |= {
            **{name: list(value) if isinstance(value, tuple) else value for name, value in values.items()},
            "favours": favours,
            "contribution": contribution,
        }
        text = " ".join(render_text(seal(content)).split())
        assert "as expected" not in text
        assert f"of the evidence {'for' if favours == 'H1' else 'against'} the declaration" in text


def test_a_share_that_can_be_read_in_two_ways_is_told_as_two() -> None:
    readings = (ShareReading(low=0.0, high=0.0, chance=0.45), ShareReading(low=0.12, high=0.4, chance=0.55))
    report = make_report("query", mixture=replace(make_mixture("query"), readings=readings))
    assert "none (probability 45%) or 12% to 40% (probability 55%); 90% interval of both" in first_page(report)
    assert "aucune (probabilité 45 %) ou 12 % à 40 % (probabilité 55 %)" in first_page(report, "fr")
    assert "31% (90%" not in first_page(report)


def test_sets_of_classes_have_names_in_both_languages() -> None:
    content = make_report("consistent").content
    for attribute in content["model"]["attributes"]:
        if attribute["name"] == "colour":
            attribute["sets"] = [{"name": "fancy", "labels": {"en": "fancy colour", "fr": "couleur fantaisie"}}]
    values = {"attribute": "colour", "sets": ["fancy"], "share": 0.4}
    content["cautions"].append({"code": "coarse_classes", "values": values, "text": ""})
    assert "a set of classes alone (fancy colour)" in first_page(seal(content))
    assert "(couleur fantaisie)" in first_page(seal(content), "fr")


@pytest.mark.parametrize("kind", ["query", "consistent", "inconclusive"])
def test_a_doubt_of_the_unit_comes_before_whatever_it_may_explain(kind: Any) -> None:
    doubt = statement("weights_too_large", mean_ct=1.48, known_ct=0.63)
    report = make_report(kind, cautions=(*make_cautions(kind), doubt))
    english, french = first_page(report), first_page(report, "fr")
    conclusion = {"query": "reason to query", "consistent": "consistent with", "inconclusive": "inconclusive"}[kind]
    assert f"* Unit of the weights in doubt. If they are in carats: {conclusion}" in english
    assert "* Unité des poids douteuse. S’ils sont en carats : " in french
    box = english[english.index("* Unit") : english.index("Declared:")]
    assert "are the weights in carats?" in box


def test_a_doubt_of_the_unit_is_raised_where_nothing_was_declared() -> None:
    doubt = statement("weights_too_large", mean_ct=1.48, known_ct=0.63)
    report = make_report("undeclared", cautions=(*make_cautions("undeclared"), doubt))
    assert "* Unit of the weights in doubt. Nothing was declared" in first_page(report)
    assert "* Unité des poids douteuse. Rien n’a été déclaré" in first_page(report, "fr")


def test_a_set_of_zones_of_few_stones_states_no_level() -> None:
    content = make_report("undeclared").content
    assert "(90% prediction set)" in first_page(seal(content))
    few = {"code": "resembles_small", "values": {"level": 0.9, "usual_stones": 450}, "text": ""}
    content["explanation"]["sentences"].append(few)
    text = " ".join(render_text(seal(content)).split())
    assert "prediction set" not in text
    assert "typically 450 stones;" in text


def test_an_interval_whose_ends_are_shown_as_one_number_is_no_interval() -> None:
    content = make_report("consistent").content
    content["verification"] |= {"log10_lr": -2.084, "low": -2.084, "high": -2.081, "bound_hit": "lower"}
    said = first_page(seal(content))
    assert "log10 LR \u22122.08, held at its bound with all of its 90% interval" in said


def test_no_column_of_pictures_is_empty() -> None:
    content = make_report("query").content
    content["explanation"] |= {"footprint_map": None, "attributes": []}
    document = lay_out(seal(content), "en")
    blocks = [block for section in document.sections for block in section.blocks]
    assert all(block.shown for block in blocks if isinstance(block, Beside))
    assert sum(isinstance(block, Table) for block in blocks) == 2, "the table of resemblance stands by itself"


def test_a_caution_begins_as_a_sentence_does() -> None:
    unknown = statement("condition_unknown", field="cleaning_state", value="polished")
    report = make_report("consistent", cautions=(*make_cautions("consistent"), unknown))
    assert "! Cleaning state: \u201cpolished\u201d does not occur" in first_page(report)
    assert "! \u00c9tat de nettoyage : \u00ab polished \u00bb" in first_page(report, "fr")


@pytest.mark.parametrize("p_value", [0.001, 0.2])
def test_where_undeclared_goods_were_found_nothing_is_said_of_what_could_be_missed(p_value: float) -> None:
    mixture = replace(make_mixture("query"), p_value=p_value, detection_limit=1.0)
    report = make_report("query", mixture=mixture, declared=declared("compliant"))
    whole = " ".join(render_text(report).split())
    assert whole.count("is missed") == (0 if p_value < 0.05 else 3), "figures, how sure, and what nobody can know"
    assert ("As goods of one zone alone" in whole) == (p_value < 0.05), "a mixture as a whole is like no zone"


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_many_zones_of_h2_are_named_once_and_at_the_end(lang: str) -> None:
    zones = tuple(f"Zone-{n:02}" for n in range(30))
    h2 = statement("h2_elsewhere", zones=zones, unlisted_weight=0.2)
    report = make_report("query", verification=replace(make_verification("query"), h2=h2))
    page, whole = first_page(report, lang), " ".join(render_text(report, lang).split())
    assert [zone for zone in zones if zone in page] == list(zones[:6])
    assert {"en": "24 others, listed at the end", "fr": "de 24 autres, énumérées à la fin"}[lang] in page
    assert all(zone in whole for zone in zones)


def test_rates_are_told_to_be_of_whole_parcels_where_this_one_is_not_recorded_whole() -> None:
    lacking = statement("attribute_not_recorded", attribute="morphology")
    report = make_report("consistent", cautions=(*make_cautions("consistent"), lacking))
    assert "every attribute recorded; not recorded here: morphology." in first_page(report)
    assert "every attribute recorded" not in first_page(make_report("consistent"))
    sampled = statement("graded_in_part", n_graded=60, n_stones=600)
    report = make_report("consistent", cautions=(*make_cautions("consistent"), sampled))
    assert "of which every stone was graded; here 60 were." in first_page(report)


@pytest.mark.parametrize("lang", ["en", "fr"])
@pytest.mark.parametrize("kind", KINDS)
def test_no_line_is_longer_than_was_promised(kind: Any, lang: str) -> None:
    name = "LOT " + "Mambere-Kadei-" * 4 + " exporter number 12 of the second quarter, third lot"
    found = make_examination(kind, declared=declared("suspended", "suspended", "not_covered"))
    report = build_report(make_parcel(kind, parcel_id=name), found, make_model(), created_at=CREATED_AT)
    assert max(map(len, render_text(report, lang).splitlines())) <= WIDTH
