"""Examinations made by hand, one of every kind a report must carry. The figures are invented and plausible."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from typing import Any, Literal

import numpy as np

from kpfootprint.comparison.results import (
    AlternativeLR,
    Attribution,
    ClassFinding,
    DeclaredZone,
    ErrorRate,
    ErrorRates,
    Examination,
    Explanation,
    FootprintMap,
    Interval,
    Mixture,
    Novelty,
    SelectionLR,
    SourceShare,
    Statement,
    Verification,
)
from kpfootprint.parcel import Conditions, Declaration, Parcel, Stones
from kpfootprint.report import Report, build_report
from kpfootprint.report.content import described
from kpfootprint.report.report import seal
from kpfootprint.scheme import Attribute, AttributeClass, Scheme, SieveSet, SizeAttribute

Kind = Literal["consistent", "query", "inconclusive", "not_comparable", "undeclared", "nulls"]
KINDS: tuple[Kind, ...] = ("consistent", "query", "inconclusive", "not_comparable", "undeclared", "nulls")
CREATED_AT = datetime(2026, 5, 3, 9, 30, tzinfo=UTC)
RELEASE = "2026.1"

ZONES = (
    ("berberati", "Berbérati", "CF", "west", 26),
    ("carnot", "Carnot", "CF", "west", 30),
    ("nola", "Nola", "CF", "west", 18),
    ("boda", "Boda", "CF", "west", 22),
    ("gadzi", "Gadzi", "CF", "west", 12),
    ("bria", "Bria", "CF", "east", 24),
    ("sam_ouandja", "Sam-Ouandja", "CF", "east", 15),
    ("ndele", "Ndélé", "CF", "east", 14),
    ("kasai", "Kasaï", "CD", "abroad", 20),
    ("cuango", "Cuango", "AO", "abroad", 17),
    ("bakouma", "Bakouma", "CF", "east", 0),
)
_SIEVES = ("-3", "+3", "+5", "+6", "+7", "+9", "+11", "+12", "+13", "+15", "+17", "+19", "+21", "+23")
_LOWER = (0.0, 0.025, 0.045, 0.075, 0.115, 0.175, 0.315, 0.525, 0.715, 1.235, 1.475, 2.135, 3.895, 8.595)
_COLOURS = (
    ("white", "white", "blanc"),
    ("cape", "cape", "cape"),
    ("yellow", "yellow", "jaune"),
    ("brown", "brown", "brun"),
    ("green", "green-coated", "enrobé vert"),
    ("grey", "grey", "gris"),
)
_SHAPES = (
    ("dodecahedron", "dodecahedron", "dodécaèdre"),
    ("octahedron", "octahedron", "octaèdre"),
    ("macle", "macle", "macle"),
    ("cube", "cube", "cube"),
    ("boart", "aggregate or boart", "agrégat ou boart"),
    ("fragment", "fragment", "fragment"),
)


def make_scheme() -> Scheme:
    own = SieveSet(name="dtc", classes=_SIEVES, lower_ct=_LOWER, upper_ct=(*_LOWER[1:], math.inf))

    def attribute(name: str, label: str, french: str, classes: tuple[tuple[str, str, str], ...]) -> Attribute:
        return Attribute(
            name=name,
            column=name,
            labels={"en": label, "fr": french},
            synonyms=(),
            classes=tuple(AttributeClass(name=c, labels={"en": en, "fr": fr}) for c, en, fr in classes),
        )

    return Scheme(
        size=SizeAttribute(
            name="size", column="weight_ct", labels={"en": "Size", "fr": "Taille"}, synonyms=(), sieve_set=own
        ),
        categorical=(
            attribute("colour", "Colour", "Couleur", _COLOURS),
            attribute("morphology", "Morphology", "Forme", _SHAPES),
        ),
        sieve_sets=(own,),
    )


def make_model(*, released: bool = True, synthetic: bool = True) -> dict[str, Any]:
    known = ("zone_id", "name", "country", "region", "n_parcels")
    model = {
        "release": RELEASE,
        "released": released,
        "manifest_sha256": "5f" * 32,
        "reference": {"name": "car-rough", "version": "1.0.0", "sha256": "a7" * 32, "synthetic": synthetic},
        "zones": [dict(zip(known, zone, strict=True)) for zone in ZONES],
        "attributes": described(make_scheme()),
    }
    return {"software": {"name": "kpfootprint", "version": "0.1.0"}, "model": model}


def make_parcel(kind: Kind = "consistent", **changes: Any) -> Parcel:
    n = {"inconclusive": 48, "not_comparable": 4}.get(kind, 612)
    weights = np.full(n, 0.25)
    declarations = {
        "query": (Declaration(zone_id="berberati", carats=112.8), Declaration(zone_id="carnot", carats=40.2)),
        "undeclared": (),
        "nulls": (Declaration(zone_id="bakouma", carats=None),),
    }.get(kind, (Declaration(zone_id="berberati", carats=n * 0.25),))
    stated = {
        "parcel_id": f"P-{kind}",
        "n_stones": n,
        "carats": float(weights.sum()),
        "declarations": declarations,
        "exported_on": None if kind in ("undeclared", "nulls") else date(2026, 4, 17),
        "certificate_no": None if kind == "undeclared" else "CF 004711",
        "conditions": Conditions(cleaning_state="acid_rinsed", selection="run_of_mine", sorter="S2")
        if kind != "nulls"
        else Conditions(),
        "stones": Stones(weight_ct=weights, codes={"colour": np.zeros(n, dtype=np.int16)}),
    }
    return Parcel(**{**stated, **changes})


def statement(code: str, **values: Any) -> Statement:
    return Statement(code=code, values=values)


def make_classes(kind: Kind) -> tuple[ClassFinding, ...]:
    size = [0.01, 0.06, 0.14, 0.17, 0.18, 0.2, 0.12, 0.05, 0.04, 0.01, 0.01, 0.007, 0.002, 0.001]
    colour = [0.38, 0.2, 0.1, 0.17, 0.09, 0.06] if kind != "query" else [0.33, 0.16, 0.08, 0.28, 0.09, 0.06]
    shape = [0.5, 0.2, 0.07, 0.03, 0.08, 0.12]
    expected = {
        "size": [0.012, 0.07, 0.15, 0.165, 0.175, 0.19, 0.115, 0.048, 0.045, 0.012, 0.01, 0.005, 0.002, 0.001],
        "colour": [0.4, 0.21, 0.11, 0.13, 0.09, 0.06],
        "morphology": [0.48, 0.21, 0.08, 0.03, 0.08, 0.12],
    }
    names = {"size": _SIEVES, "colour": [c[0] for c in _COLOURS], "morphology": [c[0] for c in _SHAPES]}
    findings = []
    for attribute, observed in (("size", size), ("colour", colour), ("morphology", shape)):
        for name, seen, mean in zip(names[attribute], observed, expected[attribute], strict=True):
            half = 1.645 * math.sqrt(mean * (1 - mean) / 120)
            bare = kind == "undeclared"
            findings.append(
                ClassFinding(
                    attribute=attribute,
                    class_name=name,
                    observed=seen,
                    expected=None if bare else mean,
                    low=None if bare else max(mean - half, 0.0),
                    high=None if bare else min(mean + half, 1.0),
                    contribution=None if bare else (0.05 if abs(seen - mean) < half else -0.6),
                )
            )
    return tuple(findings)


def make_map() -> FootprintMap:
    """Reference parcels on spirals around zone centres: spread out, and the same at every run."""
    centres, references = {}, {}
    for i, (zone_id, _, _, region, n) in enumerate(z for z in ZONES if z[4]):
        base = {"west": -1.6, "east": 1.2, "abroad": 0.3}[region]
        centre = (base + 0.8 * math.cos(2.1 * i), 1.1 * math.sin(1.7 * i))
        centres[zone_id] = centre
        references[zone_id] = tuple(
            (centre[0] + 0.09 * math.sqrt(k) * math.cos(2.4 * k), centre[1] + 0.09 * math.sqrt(k) * math.sin(2.4 * k))
            for k in range(1, n + 1)
        )
    return FootprintMap(parcel=(-1.0, 0.25), centres=centres, references=references)


def make_mixture(kind: Kind) -> Mixture:
    estimate, low, high = (0.31, 0.18, 0.44) if kind == "query" else (0.03, 0.0, 0.14)
    limit = 1.0 if kind == "inconclusive" else 0.22
    middle, spread = estimate, max((high - low) / 3.3, 0.02)
    profile = [(s / 50, 0.5 * (1 + math.erf((s / 50 - middle) / (spread * math.sqrt(2))))) for s in range(51)]
    share = Interval(estimate=estimate, low=low, high=high, level=0.9)
    return Mixture(
        undeclared_stone_fraction=share,
        undeclared_carat_fraction=Interval(estimate=estimate * 1.1, low=low, high=high * 1.1, level=0.9),
        p_value=0.0041 if kind == "query" else 0.46,
        detection_limit=limit,
        sources=(
            SourceShare(zone_id="bria", share=share, posterior=0.55),
            SourceShare(zone_id="sam_ouandja", share=share, posterior=0.25),
            SourceShare(zone_id="unlisted", share=share, posterior=0.2),
        ),
        indistinguishable=("nola",) if kind == "inconclusive" else (),
        association_p=0.37,
        profile=tuple(profile),
    )


def make_verification(kind: Kind) -> Verification:
    unbounded = {"consistent": 3.1234, "query": -1.7036, "inconclusive": 0.2104}.get(kind, 0.0)
    bounds = (-2.084, 2.217)
    value = min(max(unbounded, bounds[0]), bounds[1])
    band, favours = {
        "consistent": ("moderately_strong", "H1"),
        "query": ("moderate", "H2"),
        "inconclusive": ("none", "neither"),
    }.get(kind, ("none", "neither"))
    east = ("bria", "sam_ouandja", "ndele", "kasai", "cuango")
    h1 = (
        statement("h1_blend", zones=("berberati", "carnot"), stone_shares=(0.7312, 0.2688))
        if kind == "query"
        else statement("h1_zone", zone="berberati")
    )
    others = [AlternativeLR(kind="any_other_zone", log10_lr=value - 0.4)]
    others += [AlternativeLR(kind="zone", zone_id=zone, log10_lr=value + 0.1 * i) for i, zone in enumerate(east)]
    others += [
        AlternativeLR(kind="unlisted_weight", unlisted_weight=weight, log10_lr=value - weight / 3)
        for weight in (0.1, 0.5, 0.9)
    ]
    return Verification(
        h1=h1,
        h2=statement("h2_elsewhere", zones=east, unlisted_weight=0.2),
        log10_lr=value,
        low=max(value - 0.52, bounds[0]),
        high=min(value + 0.44, bounds[1]),
        level=0.9,
        bounds=bounds,
        bound_hit="upper" if unbounded > bounds[1] else None,
        log10_lr_unbounded=unbounded,
        verbal=statement("verbal", band=band, favours=favours, scale="ENFSI 2015"),
        typicality_p=0.0212 if kind == "query" else 0.4431,
        by_alternative=tuple(others),
        by_selection=SelectionLR(as_recorded=unbounded, marginalised=unbounded - 0.3, size_conditional=unbounded - 0.7),
    )


def make_sentences(kind: Kind) -> tuple[Statement, ...]:
    zones = ("berberati", "carnot") if kind == "query" else ("berberati",)
    resembles = statement("resembles", zone="berberati", posterior=0.6128)
    if kind == "undeclared":
        return (resembles, statement("next_declaration"))
    brown = {"observed": 0.28, "expected": 0.13, "low": 0.0812, "high": 0.1788}
    plain = {"observed": 0.38, "expected": 0.4, "low": 0.31, "high": 0.48}
    sentences = {
        "query": (
            statement(
                "class_more",
                attribute="colour",
                **{"class": "brown"},
                zones=zones,
                **brown,
                contribution=-0.6,
                evidence_share=0.52,
                favours="H2",
            ),
            statement("headline_unlike", zones=zones),
            statement("asks_lr", log10_lr=-1.7036, log10_limit=-1.0, favours="H2"),
            statement("asks_share", low=0.18, low_limit=0.1, p_value=0.0041, p_limit=0.005),
            statement("look_first", attribute="colour", **{"class": "brown"}),
            statement("mixture_found", share=0.31, low=0.18, high=0.44, p_value=0.0041),
            statement("grade_again", attribute="colour", evidence_share=0.52, favours="H2"),
            statement("sorter_matters", sorter="S2", log10_lr_without=-1.124),
            statement("next_status", zones=("carnot",), day="2026-04-17"),
        ),
        "consistent": (
            statement(
                "class_like",
                attribute="colour",
                **{"class": "white"},
                zones=zones,
                **plain,
                contribution=0.6,
                evidence_share=0.31,
                favours="H1",
            ),
            statement("headline_like", zones=zones),
            statement("next_nothing"),
        ),
        "inconclusive": (
            statement("headline_unsettled", zones=zones),
            statement("short_lr", log10_lr=0.2104, log10_limit=0.65, favours="H1"),
            statement("more_stones", n_stones=48, needed=300),
            statement("next_conditions", fields=("bottom_screen_mm",)),
        ),
    }[kind]
    limit = 1.0 if kind == "inconclusive" else 0.22
    common = (
        statement("within_ranges", n_classes=25, n_all=26),
        statement("attribute_favours", attribute="size", log10_lr_share=0.3124, favours="H1"),
        resembles,
        statement("more_references", zone="gadzi", n_parcels=12),
        statement("declare_screen"),
        *(() if kind == "query" else (statement("mixture_not_found", detection_limit=limit, p_value=0.46),)),
    )
    return (*sentences, *common)


def make_cautions(kind: Kind) -> tuple[Statement, ...]:
    synthetic = statement("synthetic_reference", reference="car-rough 1.0.0")
    return {
        "consistent": (synthetic, statement("bound_hit", bound="upper", log10_lr=2.217)),
        "query": (
            synthetic,
            statement("zone_not_compliant", zone="carnot", status="suspended", day="2026-04-17"),
            statement("declared_carats_differ", declared=152.8, parcel=153.0),
            statement("conditions_blank", fields=("bottom_screen_mm", "specials_removed", "sieve_set")),
        ),
        "inconclusive": (
            synthetic,
            statement("small_parcel", n_stones=48, minimum=50),
            statement("few_references", zone="gadzi", n_parcels=12),
        ),
        "not_comparable": (synthetic, statement("small_parcel", n_stones=4, minimum=10)),
        "undeclared": (
            synthetic,
            statement("no_declaration"),
            statement("no_export_date", status_on="2026-05-03"),
        ),
        "nulls": (
            statement("zone_without_reference", zone="bakouma"),
            statement("not_computed", field="verification", reason="zone_without_reference"),
        ),
    }[kind]


def make_examination(kind: Kind = "consistent", **changes: Any) -> Examination:
    """Make an examination of a kind; `changes` replace its members."""
    parcel = make_parcel(kind)
    compared = kind in ("consistent", "query", "inconclusive")
    bare = kind in ("nulls", "not_comparable")
    verification = make_verification(kind) if compared else None
    total = 0.0 if verification is None else verification.log10_lr_unbounded
    posterior = ((0.6128, 0.1411, 0.1003, 0.06, 0.02, 0.02, 0.01, 0.005, 0.0008, 0.0), 0.03)
    members: dict[str, Any] = {
        "status_on": date(2026, 4, 17) if parcel.exported_on else date(2026, 5, 3),
        "declared": tuple(
            DeclaredZone(
                zone_id=d.zone_id,
                carats=d.carats,
                status_on_export_date="suspended" if d.zone_id == "carnot" else "compliant",
            )
            for d in parcel.declarations
        ),
        "verification": verification,
        "attribution": None
        if bare
        else Attribution(
            zones=tuple((z[0], p) for z, p in zip((z for z in ZONES if z[4]), posterior[0], strict=True)),
            unlisted_posterior=posterior[1],
            prediction_set=("berberati", "carnot", "unlisted"),
            level=0.9,
        ),
        "mixture": make_mixture(kind) if compared else None,
        "novelty": None if kind == "nulls" else Novelty(p_value=0.38, floor=0.0045),
        "explanation": None
        if bare
        else Explanation(
            attributes=()
            if kind == "undeclared"
            else (("size", 0.55 * total), ("colour", 0.33 * total), ("morphology", 0.12 * total)),
            classes=make_classes(kind),
            sentences=make_sentences(kind),
            footprint_map=make_map(),
        ),
        "conclusion": {"undeclared": None, "nulls": "not_comparable"}.get(kind, kind),
        "error_rates": None
        if not compared
        else ErrorRates(
            measured_on=statement("measured_held_out", n_parcels=198, reference="car-rough 1.0.0", release=RELEASE),
            n_stones_low=300,
            n_stones_high=1000,
            true_declarations_queried=ErrorRate(rate=8 / 198, low=0.0203, high=0.0714, errors=8, trials=198),
            false_declarations_accepted=ErrorRate(rate=31 / 1240, low=0.0181, high=0.0337, errors=31, trials=1240),
        ),
        "cautions": make_cautions(kind),
    }
    return Examination(**{**members, **changes})


def make_report(kind: Kind = "consistent", **changes: Any) -> Report:
    """Make the report of `make_examination`."""
    return build_report(make_parcel(kind), make_examination(kind, **changes), make_model(), created_at=CREATED_AT)


def make_crowded_report(n_more: int = 13) -> Report:
    """Make a report with so many more zones, and ten cautions: more than a real reference has."""
    content = make_report("query").content
    more = [f"zone-{n}" for n in range(1, n_more + 1)]
    content["model"]["zones"] += [
        {"zone_id": z, "name": f"Sous-pr\u00e9fecture {z[5:]}", "country": "CF", "region": "east", "n_parcels": 12}
        for z in more
    ]
    content["attribution"]["zones"] += [{"zone_id": z, "posterior": 0.0} for z in more]
    content["verification"]["h2"]["values"]["zones"] += more
    content["verification"]["by_alternative"] += [
        {"kind": "zone", "zone_id": z, "unlisted_weight": None, "log10_lr": -1.2} for z in more
    ]
    content["mixture"]["sources"] += [
        {**content["mixture"]["sources"][0], "zone_id": z, "posterior": 0.01} for z in more
    ]
    spots = content["explanation"]["footprint_map"]
    for n, z in enumerate(more):
        spots["centres"][z] = [0.1 * n, -0.05 * n]
        spots["references"][z] = [[0.1 * n + 0.02 * k, 0.03 * k - 0.05 * n] for k in range(12)]
    content["cautions"] += make_report("consistent").content["cautions"][1:]
    content["cautions"] += make_report("inconclusive").content["cautions"][1:]
    content["cautions"] += make_report("undeclared").content["cautions"][2:]
    content["cautions"] += make_report("nulls").content["cautions"]
    return seal(content)
