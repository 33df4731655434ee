"""The English of every statement, by code or ``code.variant``. These are the messages of the catalogue.

Placeholders are the statement's values, already in the language's form (zones by name, shares in per cent).
"""

from __future__ import annotations

from kpfootprint.report.locale import mark, mark_plural

TEMPLATES: dict[str, str] = {
    # the two hypotheses, always after "H1: " or "H2: "
    "h1_zone": mark("the parcel comes from the zone {zone}"),
    "h1_blend": mark("the parcel is a blend of the declared zones, in shares of stones: {blend}"),
    "h2_elsewhere": mark(
        "the parcel comes from elsewhere: from {zones}, or from a source nobody has sampled (weight {unlisted_weight})"
    ),
    "h2_unlisted_only": mark("the parcel comes from elsewhere: from a source nobody has sampled"),
    "verbal": mark("On the scale {scale} this supports neither hypothesis over the other."),
    "verbal.neither": mark("On the scale {scale} this supports neither hypothesis over the other."),
    "verbal.H1": mark("On the scale {scale} this is {band} support for what was declared over a source elsewhere."),
    "verbal.H2": mark("On the scale {scale} this is {band} support for a source elsewhere over what was declared."),
    "measured_held_out": mark("{n_parcels} parcels of the reference {reference} kept out of the release {release}"),
    "measured_simulated": mark("{n_parcels} parcels simulated for the release {release}"),
    # cautions
    "no_declaration": mark(
        "No zone was declared. The report says what the parcel resembles and how novel it is, and nothing more."
    ),
    "unreleased": mark("The model {release} is not a release: it was fitted, but not judged for use."),
    "synthetic_reference": mark(
        "The reference {reference} is synthetic: its parcels are invented. Nothing here speaks of real goods."
    ),
    "no_export_date": mark("No export date was given; the status of zones is that of {status_on}."),
    "zone_not_compliant": mark("{zone} was not compliant on {day} (status: {status}). This decides nothing by itself."),
    "zone_not_covered": mark("The zone table says nothing of {zone} on {day}."),
    "zone_without_reference": mark(
        "There is no reference parcel of {zone}; a declaration of it cannot be compared with anything."
    ),
    "bound_hit.upper": mark(
        "The likelihood ratio is held at its upper bound, log10 {log10_lr}: the references carry no more than that."
    ),
    "bound_hit.lower": mark(
        "The likelihood ratio is held at its lower bound, log10 {log10_lr}: the references carry no less than that."
    ),
    "size_range_missing": mark(
        "A range of sizes seems to be missing ({p_value}): stones may have been sieved or picked out."
    ),
    "sorter_unknown": mark(
        "The sorter {sorter} does not occur in the reference; another eye may see colours and shapes otherwise."
    ),
    "condition_unknown": mark("{field}: “{value}” does not occur in the reference and is taken as not stated."),
    "conditions_blank": mark("Not stated: {fields}. Every possibility is allowed for, which weakens the comparison."),
    "declared_carats_differ": mark("The declared zones add up to {declared} ct, the parcel to {parcel} ct."),
    "attribute_not_recorded": mark("No {attribute} is recorded; the comparison does without it."),
    "partly_recorded": mark("Of the stones only {share} have their {attribute} recorded."),
    "carats_not_recorded": mark("No carats are recorded; undeclared goods are given as a share of stones only."),
    "novel_parcel": mark(
        "The parcel lies farther from every zone of the reference, and from what was declared, than parcels of "
        "these zones do ({p_value}): another source, goods of several sources, or an odd parcel. Support for "
        "the declaration is therefore held at log10 {log10_lr} at most."
    ),
    "no_alternative": mark(
        "Every other listed source was compliant on that day; the alternative is a source nobody has sampled."
    ),
    "not_computed": mark("{field}: not given ({reason})."),
    # why this conclusion
    "asks_lr": mark("The likelihood ratio is a reason to ask: log10 {log10_lr}, where {log10_limit} or less is one."),
    "asks_share": mark(
        "Undeclared goods are a reason to ask: {low} of the stones or more ({p_value}), where {low_limit} or more "
        "with a p of {p_limit} or less are one."
    ),
    "asks_novelty": mark(
        "Its distance from everything in the reference is a reason to ask: {p_value}, where {p_limit} or less is one."
    ),
    "short_lr": mark("To be called consistent it would need a log10 LR of {log10_limit} or more; it has {log10_lr}."),
    "short_share": mark(
        "To be called consistent it must show no sign of undeclared goods: {p_value}, where {p_limit} or more "
        "is needed."
    ),
    "short_goods": mark(
        "To be called consistent it must show no sign of any goods but those declared, compliant ones included: "
        "{p_value}, where {p_limit} or more is needed."
    ),
    "short_alone": mark(
        "The declared zones together explain the parcel no better than one of them does alone, and none of them alone "
        "would be called consistent."
    ),
    "asks_alone": mark(
        "The declared zones together explain the parcel no better than one of them does alone, and each of them alone "
        "would be a reason to ask."
    ),
    "short_novelty": mark(
        "To be called consistent it must not lie far from everything in the reference: {p_value}, where {p_limit} "
        "or more is needed."
    ),
    # what speaks for and against
    "class_more.H1": mark(
        "More stones of {attribute} {class} than parcels of {zones} of this size show "
        "({observed}, expected {low} to {high}); this speaks for the declaration."
    ),
    "class_more.H2": mark(
        "More stones of {attribute} {class} than parcels of {zones} of this size show "
        "({observed}, expected {low} to {high}); this speaks against the declaration."
    ),
    "class_more": mark(
        "More stones of {attribute} {class} than parcels of {zones} of this size show "
        "({observed}, expected {low} to {high}); this weighs little either way."
    ),
    "class_fewer.H1": mark(
        "Fewer stones of {attribute} {class} than parcels of {zones} of this size show "
        "({observed}, expected {low} to {high}); this speaks for the declaration."
    ),
    "class_fewer.H2": mark(
        "Fewer stones of {attribute} {class} than parcels of {zones} of this size show "
        "({observed}, expected {low} to {high}); this speaks against the declaration."
    ),
    "class_fewer": mark(
        "Fewer stones of {attribute} {class} than parcels of {zones} of this size show "
        "({observed}, expected {low} to {high}); this weighs little either way."
    ),
    "attribute_favours.H1": mark("By {attribute}: {log10_lr_share} in log10, for the declaration."),
    "attribute_favours.H2": mark("By {attribute}: {log10_lr_share} in log10, against the declaration."),
    "attribute_favours": mark("By {attribute}: {log10_lr_share} in log10, which is little either way."),
    "look_first": mark("Look first at the stones of {attribute} {class}."),
    "declare_screen": mark("A declared bottom screen would make the sizes count for more."),
    "mixture_found": mark(
        "The stones fit undeclared goods among them: a share of {share}, between {low} and {high} ({p_value})."
    ),
    "mixture_not_found": mark(
        "No undeclared goods were found ({p_value}); at this size, {detection_limit} of the stones or more "
        "would be found nine times in ten."
    ),
    "mixture_not_found.none": mark(
        "No undeclared goods were found ({p_value}); at this size none could be found reliably, whatever their share."
    ),
    "resembles": mark("The parcel resembles {zone}: probability {posterior} with equal chances beforehand."),
    "resembles_none": mark("The parcel resembles no zone of the reference in particular."),
    "sorter_matters": mark(
        "Without allowing for the sorter {sorter} the log10 likelihood ratio would be {log10_lr_without}."
    ),
}

PLURALS: dict[str, tuple[str, str, str]] = {
    "small_parcel": mark_plural(
        "Small parcel: {n_stones} stone, where {minimum} are needed for a comparison.",
        "Small parcel: {n_stones} stones, where {minimum} are needed for a comparison.",
        "n_stones",
    ),
    "few_references": mark_plural(
        "Few references: {n_parcels} parcel of {zone} in the reference.",
        "Few references: {n_parcels} parcels of {zone} in the reference.",
        "n_parcels",
    ),
    "below_screen": mark_plural(
        "{n_stones} stone ({share}) is lighter than the declared bottom screen of {bottom_screen_mm} mm retains.",
        "{n_stones} stones ({share}) are lighter than the declared bottom screen of {bottom_screen_mm} mm retains.",
        "n_stones",
    ),
    "beyond_calibrated_size": mark_plural(
        "With {n_stones} stone the parcel is larger than any the model was calibrated on ({largest}).",
        "With {n_stones} stones the parcel is larger than any the model was calibrated on ({largest}).",
        "n_stones",
    ),
    "coarse_sieve_set": mark_plural(
        "The sieve set {sieve_set} is coarse: it has {n_classes} class.",
        "The sieve set {sieve_set} is coarse: it has {n_classes} classes.",
        "n_classes",
    ),
    "within_ranges": mark_plural(
        "{n_classes} class lies within what is expected.",
        "{n_classes} classes lie within what is expected.",
        "n_classes",
    ),
    "more_stones": mark_plural(
        "More stones would help: the parcel has {n_stones}, about {needed} would settle more.",
        "More stones would help: the parcel has {n_stones}, about {needed} would settle more.",
        "n_stones",
    ),
    "more_references": mark_plural(
        "More reference parcels of {zone} would help: there is {n_parcels}.",
        "More reference parcels of {zone} would help: there are {n_parcels}.",
        "n_parcels",
    ),
}

VOCABULARY: dict[str, str] = {
    "none": mark("no"),
    "weak": mark("weak"),
    "moderate": mark("moderate"),
    "moderately_strong": mark("moderately strong"),
    "strong": mark("strong"),
    "very_strong": mark("very strong"),
    "extremely_strong": mark("extremely strong"),
    "compliant": mark("compliant"),
    "suspended": mark("suspended"),
    "not_covered": mark("not covered by the zone table"),
    "true": mark("yes"),
    "false": mark("no"),
    "cleaning_state": mark("cleaning state"),
    "selection": mark("selection"),
    "sorter": mark("sorter"),
    "bottom_screen_mm": mark("bottom screen (mm)"),
    "specials_removed": mark("specials removed"),
    "sieve_set": mark("sieve set"),
    "unwashed": mark("unwashed"),
    "acid_rinsed": mark("acid-rinsed"),
    "deep_boiled": mark("deep-boiled"),
    "run_of_mine": mark("run of mine"),
    "buyer_sorted": mark("sorted by the buyer"),
    "verification": mark("Verification"),
    "attribution": mark("Attribution"),
    "mixture": mark("Mixture"),
    "novelty": mark("Novelty"),
    "explanation": mark("Explanation"),
    "error_rates": mark("Error rates"),
    "undeclared_carat_fraction": mark("Undeclared share of carats"),
    "undeclared_stone_fraction": mark("Undeclared share of stones"),
    "detection_limit": mark("Detection limit"),
    "conclusion": mark("Conclusion"),
    "no_declaration": mark("nothing was declared"),
    "small_parcel": mark("too few stones"),
    "carats_not_recorded": mark("no carats are recorded"),
    "zone_without_reference": mark("no reference parcel of a declared zone"),
    "novel_parcel": mark("the parcel is unlike the whole reference"),
    "not_measured": mark("not measured at this size"),
    "unlisted": mark("a source nobody has sampled"),
}
