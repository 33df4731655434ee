"""Small reference packages that are valid and odd, drawn by Hypothesis from what researchers may bring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from hypothesis import strategies as st

from tests.training.packages import SURFACE, Kind

LONG = "a zone whose name somebody wrote out in full, with the river, the village and the district: "
WORDS: Mapping[str, tuple[str, ...]] = {
    "surface": SURFACE,
    "lustre": ("dull", "glassy"),
    "couleur": ("incolore", "jaune pâle", "brun foncé", "vert d'eau", "gris-bleu"),
    "цвет": ("белый", "жёлтый", "коричневый", "серый"),
    "颜色": ("白色", "黄色", "棕色", "灰色", "绿色", "黑色"),
    "fluorescence": ("none", "faint", "medium", "strong", "very strong"),
    "habit": tuple(f"habit {i + 1}" for i in range(25)),
    "اللون": ("أبيض", "أصفر", "بني"),
    "wear/rounding (0-2)": ("0: none", "1: edges", "2: faces & edges"),
    "morphology": ("octahedron", "dodecahedron", "macle", "fragment; broken", "100%"),
}
"""Attributes that somebody might record, and their classes."""
ZONE_IDS = (
    "z{:02}",
    "Zone {:d}",
    "bèlé-{:d}",
    "a/b/{:d}",
    "💎{:d}",
    LONG[:90] + " {:d}",
    "пласт {:d}",
    "x, 1,{:d}",
    "{:d}",
)
PARCEL_IDS = (
    "P{:04}",
    "parcel no. {:d}",
    "2019/{:04}",
    "é{:d}",
    "💎 {:d}",
    "p" * 190 + "{:d}",
    "#{:d}",
    "=A{:d}",
    "{:d}",
)
EDGES: Sequence[tuple[float, ...]] = (
    (0.0, 0.1, 0.2, 0.4, 0.8, 1.6),
    (0.0, 0.3),
    (0.05, 0.11, 0.5),
    (0.0, 5.0, 10.0),
    tuple(round(0.02 * 1.3**i, 4) for i in range(25)),
)


@st.composite
def kinds(draw: st.DrawFn, *, zones: int = 60, stones: int = 150, largest: int = 200) -> Kind:
    """Draw the kind of a package of 2 to `zones` zones, of about `stones` stones a parcel at most."""
    n_zones = draw(st.integers(2, zones))
    parcels = draw(st.lists(st.integers(3, 8), min_size=n_zones, max_size=n_zones))
    if draw(st.booleans()):
        parcels[draw(st.integers(0, n_zones - 1))] = draw(st.integers(9, largest))
    names = draw(st.lists(st.sampled_from(sorted(WORDS)), min_size=1, max_size=3, unique=True))
    missing = draw(st.sampled_from((0.0, 0.3, 0.8)))
    kind = Kind(
        parcels=tuple(parcels),
        attributes={name: WORDS[name] for name in names},
        edges=draw(st.sampled_from(EDGES)),
        n_stones=draw(st.sampled_from((3, 12, 40, stones))),
        spread=draw(st.sampled_from((0.0, 0.5, 1.5))),
        missing={names[-1]: missing} if missing and sum(parcels) > 12 else {},
        missing_in={names[0]: (0,)} if draw(st.integers(0, 4)) == 0 else {},
        dates=draw(st.sampled_from((0, 1, 1000))),
        sorters=draw(st.sampled_from((1, 3))),
        status=draw(st.integers(0, 4)) > 0,
        conditions=draw(st.booleans()),
        weighed=draw(st.integers(0, 9)) > 0,
        unseen=draw(st.sampled_from((0, 0, 1))),
        ordered=draw(st.booleans()),
        sets=draw(st.booleans()),
        languages=draw(st.sampled_from((("en", "fr"), ("en",), ("fr",), ()))),
        zone_id=draw(st.sampled_from(ZONE_IDS)),
        parcel_id=draw(st.sampled_from(PARCEL_IDS)),
        countries=draw(st.sampled_from((("CF",), ("CF", "CD", "BW"), ("ZA", "CF", "CF", "CF")))),
        statuses=draw(
            st.sampled_from((("suspended", "compliant"), ("compliant",), ("suspended",), ("changes", "compliant")))
        ),
        seed=draw(st.integers(1, 10_000)),
    )
    return replace(kind, unseen=0) if min(map(len, kind.attributes.values())) < 3 else kind
