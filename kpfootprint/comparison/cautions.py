"""What a reader must know before using a report."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from kpfootprint.comparison.results import ODD_WEIGHTS, Statement, StoneRange, Value, Verification
from kpfootprint.comparison.weigh import Judged, OneParcel
from kpfootprint.conclusions import CONCLUSIONS, INCONCLUSIVE, conclude
from kpfootprint.parcel import FACTORS, MOST_BELOW_SCREEN, Parcel
from kpfootprint.reference import COMPLIANT, NOT_COVERED
from kpfootprint.release import Release
from kpfootprint.scheme import Scheme
from kpfootprint.stats.arrays import Partial, rows_of

FEW_REFERENCES = 15
FEW_SIZE_CLASSES = 6
CARATS_APART = 0.02
WITHIN = 1.645
"""Standard deviations on either side that hold 90 %."""
DOUBTFUL_SIZES = 0.3
ODD_P = 0.01
"""A parcel that lies as far from what was declared as one in a hundred of it varies more than the reference did."""
FEW_STONES = 5
"""A parcel of fewer may be of large stones alone."""
FAR_FROM_MEAN = 12.0
"""A mean stone this many times that of any zone, or this many times below, is no stone of carats."""
BEYOND_MEAN = 3.0
"""Of enough stones, which no buyer sorted, such a one leaves the unit in doubt."""
OTHER_UNITS = (0.2, 0.25, 4.0, 5.0)
"""So does one beyond the mean of any zone that one of these makes usual: four grains are a carat, a gram is five."""
BEYOND_USUAL = 1.25
"""So many times beyond: of parcels declared as another zone one in 250 is then doubted, of true ones none."""
BEYOND_ANY = 1.5
"""So many where nothing was declared that could be compared, so that any zone may be usual: no reference parcel is."""
Doubt = Literal["none", "some", "wrong"]
"""Of the unit of weight; ``wrong`` where sizes that rest on such weights can be compared with nothing."""
BUYER_SORTED = "buyer_sorted"
NAMES_OF_FILES = {"upload", "pasted", "parcel", "stones", "counts", "file", "untitled", "document", "sheet1", "feuil1"}
"""Names that a program gives a file: nobody finds a parcel again by one."""


@dataclass(slots=True)
class Cautions:
    """Statements collected in the order in which they are added."""

    statements: list[Statement]

    def add(self, code: str, **values: Value) -> None:
        """Add a caution."""
        self.statements.append(Statement.of(code, **values))


def cautions_of(one: OneParcel, usual: StoneRange | None) -> tuple[Cautions, bool]:
    """Say what the release, the declaration, the weights, the sizes and the record leave open.

    Parameters
    ----------
    usual : StoneRange or None
        Mean stones of parcels of what was declared; None where that is nothing that could be compared.

    Returns
    -------
    tuple
        The cautions so far, and whether the parcel can be compared with anything: too few stones, a number and a weight
        alone, or sizes that rest on weights in another unit cannot.
    """
    said, weights = Cautions([]), Cautions([])
    doubt = _of_weights(weights, one, usual)
    some = one.n_stones >= one.release.rules.minimum_stones and doubt != "wrong"
    compared = some and not number_and_weight_alone(one.parcel)
    _of_release(said, one.release)
    _of_paper(said, one)
    _of_zones(said, one, compared=compared)
    if compared and one.hypotheses.testable[one.row]:
        _of_alternatives(said, one)
    if differing := carats_apart(one.parcel, CARATS_APART):
        said.add("declared_carats_differ", **differing)
    said.statements += weights.statements
    _of_size(said, one, doubt)
    _of_record(said, one)
    _of_conditions(said, one, compared=compared)
    return said, compared


def _of_paper(said: Cautions, one: OneParcel) -> None:
    """Say what the parcel's name, the countries that it is declared from and its date leave open."""
    parcel, release, hypotheses, row = one.parcel, one.release, one.hypotheses, one.row
    day = one.day.isoformat()
    if parcel.parcel_id.strip().lower() in NAMES_OF_FILES:
        said.add("parcel_unnamed", parcel_id=parcel.parcel_id)
    if not parcel.origins:
        said.add("no_declaration")
    for item in parcel.countries:
        zones = [zone.zone_id for zone in release.zone_table.zones if zone.country == item.country]
        if lacking := tuple(zone for zone in zones if zone not in release.zone_ids):
            said.add("country_in_part", country=item.country, zones=lacking)
    origins = hypotheses.origins[row]
    for country in origins.uncovered if origins is not None and hypotheses.testable[row] else ():
        said.add("country_not_counted", country=country, day=day)
    if parcel.exported_on is None:
        said.add("no_export_date", status_on=day)
    elif parcel.exported_on > one.compared_on:
        said.add("export_date_in_future", day=day, compared_on=one.compared_on.isoformat())


def _of_zones(said: Cautions, one: OneParcel, *, compared: bool) -> None:
    """Say which declared zones were not compliant, and of which there are few reference parcels, or none."""
    release, day = one.release, one.day.isoformat()
    known = dict(zip(release.zone_ids, release.model.n_reference.tolist(), strict=True))
    for zone in one.declared:
        status = zone.status_on_export_date
        if status == NOT_COVERED:
            said.add("zone_not_covered", zone=zone.zone_id, day=day)
        elif status != COMPLIANT:
            said.add("zone_not_compliant", zone=zone.zone_id, status=status, day=day)
        if zone.zone_id in one.hypotheses.left_out[one.row]:
            if compared:
                said.add("zone_left_out", zone=zone.zone_id)
        elif zone.zone_id not in known:
            said.add("zone_without_reference", zone=zone.zone_id)
        elif known[zone.zone_id] < FEW_REFERENCES:
            said.add("few_references", zone=zone.zone_id, n_parcels=known[zone.zone_id])


def _of_alternatives(said: Cautions, one: OneParcel) -> None:
    """Say that nothing stands against a declaration but sources that nobody has sampled, or goods from abroad."""
    if not one.hypotheses.alternatives[one.row].any():
        said.add("no_alternative")
    elif abroad := _only_abroad(one):
        said.add("alternatives_abroad_only", day=one.day.isoformat(), zones=abroad)


def carats_apart(parcel: Parcel, part: float) -> dict[str, Value]:
    """Return the carats that were declared and the parcel's, where they lie apart by more than this part of these."""
    declared, carats = [item.carats for item in parcel.origins if item.carats is not None], parcel.carats
    if not declared or carats is None or abs(sum(declared) - carats) <= part * carats:
        return {}
    return {"declared": float(sum(declared)), "parcel": float(carats)}


def _only_abroad(one: OneParcel) -> tuple[str, ...]:
    """Return the zones of H2 where none of them lies in a country that was declared; nothing where one does.

    Of a country none of whose zones is in the table on that day there is nothing to say: no zone of it could stand
    against the declaration.
    """
    country = {zone.zone_id: zone.country for zone in one.release.zone_table.zones}
    home = {country.get(zone.zone_id) for zone in one.declared if zone.status_on_export_date != NOT_COVERED}
    against = tuple(one.release.zone_ids[k] for k in np.flatnonzero(one.hypotheses.alternatives[one.row] > 0))
    return () if not home or any(country.get(zone) in home for zone in against) else against


def _of_weights(said: Cautions, one: OneParcel, usual: StoneRange | None) -> Doubt:
    """Say where the mean stone is so far from that of every zone that the weights may be in another unit."""
    parcel, mean_ct = one.parcel, one.mean_ct
    mean = parcel.mean_ct
    doubt: Doubt = "none"
    if mean is None or parcel.n_stones < FEW_STONES:
        return "none"
    many = parcel.n_stones >= one.release.rules.minimum_stones and parcel.conditions.selection != BUYER_SORTED
    low, high = (float(mean_ct.min()), float(mean_ct.max())) if usual is None else (usual.low, usual.high)
    beyond_usual = BEYOND_ANY if usual is None else BEYOND_USUAL
    fits = any(low <= mean * unit <= high for unit in OTHER_UNITS)
    for code, known, times in (
        (ODD_WEIGHTS[0], float(mean_ct.max()), mean / float(mean_ct.max())),
        (ODD_WEIGHTS[1], float(mean_ct.min()), float(mean_ct.min()) / mean),
    ):
        if times > ((beyond_usual if fits else BEYOND_MEAN) if many else FAR_FROM_MEAN):
            said.add(code, mean_ct=mean, known_ct=known)
            doubt = "wrong" if times > FAR_FROM_MEAN and _sizes_are_weights(one) else "some"
    return doubt


def _sizes_are_weights(one: OneParcel) -> bool:
    """Say whether a parcel's sizes rest on its weights, not on sieves."""
    partial = one.arrays.partial
    return one.parcel.stones is not None or (partial is not None and bool(np.isfinite(partial.mean_ct[one.row])))


def _of_record(said: Cautions, one: OneParcel) -> None:
    """Say what of the stones was not recorded."""
    parcel, arrays, row, release = one.parcel, one.arrays, one.row, one.release
    names = release.scheme.attribute_names
    for a, name in enumerate(names):
        if not arrays.recorded[row, a]:
            if not number_and_weight_alone(parcel):  # whose own caution says so
                said.add("attribute_not_recorded", attribute=name)
            continue
        if arrays.partial is not None:
            share = _recorded_share(parcel, release.scheme, name)
        else:
            share = float(arrays.tables[a - 1][row].sum() / arrays.n_stones[row]) if a > 0 else 1.0
        if share < 1.0 - 1e-9:
            said.add("partly_recorded", attribute=name, share=share)
    if arrays.partial is not None:
        _left_open(said, one, arrays.partial)
    if parcel.carats is None:
        said.add("carats_not_recorded")
    if parcel.sieve_set is not None and len(parcel.sieve_set.classes) < FEW_SIZE_CLASSES:
        said.add("coarse_sieve_set", sieve_set=parcel.sieve_set.name, n_classes=len(parcel.sieve_set.classes))


def _of_conditions(said: Cautions, one: OneParcel, *, compared: bool) -> None:
    """Say which conditions are not known, or new to the reference, and where the stones contradict the screen."""
    parcel, conditions = one.parcel, one.parcel.conditions
    if compared and (blank := one.release.open_conditions(conditions)):
        said.add("conditions_blank", fields=blank)
    for f, factor in enumerate(FACTORS):
        value = getattr(conditions, factor)
        if value is not None and one.arrays.levels[one.row, f] < 0:
            if factor == FACTORS[-1]:
                said.add("sorter_unknown", sorter=value)
            else:
                said.add("condition_unknown", field=factor, value=value)
    screen, (below, share) = conditions.bottom_screen_mm, parcel.below_screen(one.release.scheme.size.name)
    contradicted = share > MOST_BELOW_SCREEN
    if screen is not None and below and (contradicted or parcel.stones is not None):
        said.add("below_screen", n_stones=below, share=share, bottom_screen_mm=screen)
    if screen is not None and contradicted:
        said.add("screen_contradicted", bottom_screen_mm=screen)


def _recorded_share(parcel: Parcel, scheme: Scheme, name: str) -> float:
    """Return the share of the rows' stones (or carats) that record an attribute; 1 where a sample alone was graded."""
    if parcel.stones is not None:
        codes = parcel.stones.codes.get(name)
        return 1.0 if name == scheme.size.name else 0.0 if codes is None else float((codes >= 0).mean())
    shares = [0.0]
    for item in parcel.breakdowns:
        if name in item.attributes:
            known = item.codes_of(name) >= 0
            of = item.n_stones if item.counted is not None else np.nan_to_num(item.carats)  # type: ignore[arg-type]
            shares.append(1.0 if item.sample else float(of[known].sum() / max(float(of.sum()), 1e-12)))
    return 1.0 if name == scheme.size.name and parcel.sieve_set is None else min(max(shares), 1.0)


def number_and_weight_alone(parcel: Parcel) -> bool:
    """Say whether nothing is known of a parcel but how many stones it has, or what they weigh."""
    return parcel.stones is None and not any(bool((item.codes >= 0).any()) for item in parcel.breakdowns)


def _left_open(said: Cautions, one: OneParcel, partial: Partial) -> None:
    """Say what a sheet left open, and how that was read."""
    parcel, row = one.parcel, one.row
    scheme, n_stones = one.release.scheme, float(one.arrays.n_stones[row])
    for a, attribute in enumerate(scheme.categorical):
        coarse = float(partial.sets[a][row].sum())
        codes, names, members = parcel.set_codes(attribute), attribute.code_names, attribute.members_of_codes()
        if coarse > 0:
            used, known = tuple(names[code] for code in codes), coarse + float(partial.exact[a][row].sum())
            said.add("coarse_classes", attribute=attribute.name, sets=used, share=coarse / known)
        for group in attribute.sharing([code for code in codes if not members[code].all()]):
            if len(group) > 1:
                said.add("sets_overlap", attribute=attribute.name, sets=tuple(names[code] for code in group))
    if any(item.sample for item in parcel.breakdowns):
        graded = parcel.n_stones_graded(scheme.size.name)
        said.add("graded_in_part", n_graded=graded, n_stones=round(n_stones))
    if number_and_weight_alone(parcel):
        said.add("number_and_weight_alone", mean_ct=parcel.mean_ct)
        return
    if partial.n_sd[row] > 0:
        fewest, most = (max(round(n_stones + z * float(partial.n_sd[row])), 1) for z in (-WITHIN, WITHIN))
        said.add("stones_not_counted", n_stones=round(n_stones), fewest=fewest, most=most)
    elif partial.spread[row].any():
        said.add("sizes_by_weight")
    if np.isfinite(partial.mean_ct[row]):
        said.add("sizes_by_mean", mean_ct=float(partial.mean_ct[row]))


def _of_release(said: Cautions, release: Release) -> None:
    """Say what the release itself leaves open."""
    if not release.released:
        said.add("unreleased", release=release.name)
    reference = release.manifest["reference"]
    if reference["synthetic"]:
        said.add("synthetic_reference", reference=reference["name"])


def _of_size(said: Cautions, one: OneParcel, doubt: Doubt) -> None:
    """Say what the number of stones and their sizes leave open."""
    n_stones, release, whole = one.n_stones, one.release, float(one.weighed.looked.gate[one.row, 0])
    if n_stones < release.rules.minimum_stones:
        said.add("small_parcel", n_stones=n_stones, minimum=int(release.rules.minimum_stones))
    if n_stones > release.model.largest:
        said.add("beyond_calibrated_size", n_stones=n_stones, largest=int(release.model.largest))
    if whole < DOUBTFUL_SIZES and doubt != "wrong":
        said.add("size_range_missing", share=1.0 - whole)


def held_by_distance(found: Verification, release: Release) -> bool:
    """Say whether the parcel's distance to every source holds its support, and not how far the references reach."""
    return found.bound_hit == "upper" and found.bounds[1] < release.model.calibration.bounds[1]


def verification_cautions(said: Cautions, one: OneParcel, judged: Judged, found: Verification, novel: bool) -> None:
    """Say where the references end, where the parcel varies more than they did, and where that would matter.

    A parcel that is consistent, or a query, is judged anew with its LR at the multiples of the reference's variance.
    All other signs stay: where one of them alone would keep the word, nothing hangs on the variance.
    """
    if found.bound_hit is not None and not held_by_distance(found, one.release):
        said.add("bound_hit", bound=found.bound_hit, log10_lr=found.log10_lr)
    if found.typicality_p < ODD_P and not novel:
        said.add("varies_more", p_value=found.typicality_p)
    word, by_itself = CONCLUSIONS[one.word], CONCLUSIONS[judged.by_itself[one.row]]
    if word != by_itself or word not in ("consistent", "query"):
        return
    others = (found.by_variance or ())[1:]
    log10_lr = np.array([other.log10_lr for other in others])
    signs = replace(rows_of(judged.signs, np.full(len(others), one.row)), log10_lr=log10_lr)
    words = conclude(one.release.rules, signs, np.full(len(others), float(one.n_stones)))
    for at in np.flatnonzero(words == INCONCLUSIVE)[:1]:
        said.add("rests_on_variance", factor=others[at].factor, log10_lr=others[at].log10_lr)
