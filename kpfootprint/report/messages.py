"""The English of every statement, by code or ``code.variant``. These are the messages of the catalogue.

Placeholders are the statement's values, already in the language's form (zones by name, shares in per cent), and what
follows from them: `stones` (a class as stones), `amount` (how many of them), `part` and `portion` (a share in words),
`times` (a likelihood ratio). A language may ask for a form of its own, such as ``{zones:de}`` in French.
"""

from __future__ import annotations

from kpfootprint.report.locale import mark, mark_plural

SIZED = mark("stones of size class {class}")
CLASSED = mark("stones classed as {class} ({attribute})")
"""A class as stones, of a size and of any other attribute."""

AMOUNTS: dict[str, tuple[tuple[float, str], ...]] = {
    "more": (
        (9.5, mark("many times as many {stones} as expected")),
        (2.75, mark("{times} times as many {stones} as expected")),
        (1.75, mark("twice as many {stones} as expected")),
        (1.4, mark("one and a half times as many {stones} as expected")),
        (0.0, mark("more {stones} than expected")),
    ),
    "like": ((0.0, mark("about as many {stones} as expected")),),
    "fewer": (
        (0.62, mark("fewer {stones} than expected")),
        (0.4, mark("half as many {stones} as expected")),
        (0.28, mark("a third as many {stones} as expected")),
        (1e-9, mark("far fewer {stones} than expected")),
        (0.0, mark("no {stones}, although some are expected")),
    ),
}
"""How many stones there are of a class, by observed over expected: the first whose limit is reached."""

SOURCES = (
    "{zones}",
    *(mark("the declared blend of {zones}"), mark("the declared blend of {n} zones")),
    mark("the declared origin ({origins})"),
)
PARCELS = (
    mark("parcels of {zones}"),
    *(mark("blends of {zones}"), mark("blends of the {n} declared zones")),
    mark("such parcels"),
)
"""What was declared, and parcels of it: one zone, a few, many, a country."""

PARTS: tuple[tuple[float, str], ...] = (
    (0.95, mark("nearly all")),
    (0.85, mark("nine tenths")),
    (0.71, mark("three quarters")),
    (0.585, mark("two thirds")),
    (0.42, mark("half")),
    (0.37, mark("two fifths")),
    (0.29, mark("a third")),
    (0.225, mark("a quarter")),
    (0.15, mark("a fifth")),
    (0.075, mark("a tenth")),
    (0.0, mark("a small part")),
)
"""A part of a whole in words, by its size: the first whose limit is reached."""

_CLASSES = {
    ".H1": mark(
        "The share of {stones} is {observed}; {parcels} of this size show {low} to {high}, and goods from elsewhere "
        "would fit it less well: {part} of the evidence for the declaration."
    ),
    ".beyond": mark(
        "{amount} ({observed}, where {parcels} of this size show {low} to {high}), but goods from elsewhere would fit "
        "it less well still: {part} of the evidence for the declaration."
    ),
    ".H2": mark(
        "{amount} ({observed}, where {parcels} of this size show {low} to {high}): "
        "{part} of the evidence against the declaration."
    ),
    ".inside": mark(
        "{amount} ({observed}, where {parcels} of this size show {low} to {high}), and goods from elsewhere would fit "
        "it better: {part} of the evidence against the declaration."
    ),
    "": mark(
        "{amount} ({observed}, where {parcels} of this size show {low} to {high}); this weighs little either way."
    ),
    ".old": mark("{amount} ({observed}, where {parcels} of this size show {low} to {high})."),
}
_TWO_WAYS = mark("The parcel is partly like {source}; how many of the stones are not can be read in two ways.")
_LIKE_AND_AGAINST = mark(
    "The share of {stones} is {observed}; {parcels} of this size show {low} to {high}, and goods from elsewhere "
    "would fit it better: {part} of the evidence against the declaration."
)
"""As many as expected, and yet more usual elsewhere: "as expected" would not be heard as evidence against."""

TEMPLATES: dict[str, str] = {
    # the two explanations, always after a name and a colon
    "h1_zone": mark("the parcel comes from {zone}"),
    "h1_blend": mark("the parcel is a blend of the declared zones, in shares of stones: {blend}"),
    "h1_origins": mark(
        "the parcel is a blend of the compliant zones of the declared origin ({origins}), in shares that nobody "
        "stated, all of which are allowed for; on average, in shares of stones: {blend}"
    ),
    "h1_split": mark(
        "the parcel is split between {origins} as declared, in any shares of the compliant zones of each; on average, "
        "in shares of stones: {blend}"
    ),
    "h2_elsewhere": mark(
        "the parcel comes from elsewhere: from {zones}, or from a source nobody has sampled (weight {unlisted_weight})"
    ),
    "h2_elsewhere.in_part": mark(
        "the parcel comes from elsewhere: from {zones}, or from a source nobody has sampled (weight "
        "{unlisted_weight}); a zone declared in part ({declared_zones}) stands here for the whole parcel"
    ),
    "h2_unlisted_only": mark("the parcel comes from elsewhere: from a source nobody has sampled"),
    "verbal": mark("This supports neither explanation over the other (scale {scale})."),
    "verbal.H1": mark("This is {band} support for what was declared over a source elsewhere (scale {scale})."),
    "verbal.H2": mark("This is {band} support for a source elsewhere over what was declared (scale {scale})."),
    "measured_held_out": mark("{n_parcels} parcels of the reference {reference} kept out of the release {release}"),
    "measured_simulated": mark("{n_parcels} parcels simulated for the release {release}"),
    # cautions
    "no_declaration": mark(
        "No zone was declared. The report says what the parcel resembles and how unusual it is, and nothing more."
    ),
    "unreleased": mark("The model {release} is not a release: it was fitted, but not judged for use."),
    "synthetic_reference": mark(
        "The reference {reference} is synthetic: its parcels are invented. Nothing here speaks of real goods."
    ),
    "parcel_unnamed": mark("The parcel is named “{parcel_id}”, as files are: nobody finds it again by that name."),
    "no_export_date": mark("No export date was given; the status of zones is that of {status_on}."),
    "export_date_in_future": mark("The export date, {day}, lies after the day of the comparison, {compared_on}."),
    "weights_too_large": mark(
        "The mean stone is {mean_ct} ct, where the largest of any zone is {known_ct} ct: are the weights in carats?"
    ),
    "weights_too_small": mark(
        "The mean stone is {mean_ct} ct, where the smallest of any zone is {known_ct} ct: are the weights in carats?"
    ),
    "zone_not_compliant": mark(
        "{zone} was not compliant on {day} (status: {status}). The footprint does not speak of that."
    ),
    "zone_not_compliant.many": mark(
        "{zones} were not compliant on {day} (status: {status}). The footprint does not speak of that."
    ),
    "zone_not_covered": mark("The zone table says nothing of {zone} on {day}."),
    "zone_not_covered.many": mark("The zone table says nothing of {zones} on {day}."),
    "zone_without_reference": mark(
        "There is no reference parcel of {zone}; a declaration of it cannot be compared with anything."
    ),
    "zone_without_reference.many": mark(
        "There is no reference parcel of {zones}; a declaration of them cannot be compared with anything."
    ),
    "few_references.many": mark("Few references: {n_parcels} parcels each of {zones} in the reference."),
    "bound_hit.upper": mark(
        "The likelihood ratio is held at its upper bound, log10 {log10_lr}: the references carry no more than that."
    ),
    "bound_hit.lower": mark(
        "The likelihood ratio is held at its lower bound, log10 {log10_lr}: the references carry no more against the "
        "declaration."
    ),
    "size_range_missing": mark(
        "A range of sizes seems to be missing, as it is in {share} of simulated parcels that look so: stones may have "
        "been sieved or picked out."
    ),
    "sorter_unknown": mark(
        "The sorter {sorter} does not occur in the reference; another eye may class stones otherwise."
    ),
    "condition_unknown": mark("{field}: “{value}” does not occur in the reference and is taken as not stated."),
    "conditions_blank": mark("Not stated: {fields}. Every possibility is allowed for, which weakens the comparison."),
    "declared_carats_differ": mark("The declared zones add up to {declared} ct, the parcel to {parcel} ct."),
    "attribute_not_recorded": mark("No {attribute} is recorded; the comparison does without it."),
    "attribute_not_recorded.many": mark("Not recorded: {attributes}. The comparison does without them."),
    "partly_recorded": mark("Of the stones only {share} have their {attribute} recorded."),
    "partly_recorded.many": mark("Of the stones only {share} have their {attributes} recorded."),
    "coarse_classes": mark(
        "Of the stones {share} have their {attribute} by a set of classes alone ({sets}); each may be of any of them."
    ),
    "sets_overlap": mark(
        "Sets of classes of {attribute} share classes ({sets}): which of them a sorter puts such a stone in is not "
        "known, and they are read as one set."
    ),
    "graded_in_part": mark(
        "Of {n_stones} stones {n_graded} were graded: sizes are those of all, classes those of the sample of each size."
    ),
    "stones_not_counted": mark(
        "The stones were weighed and not counted: there are about {n_stones}, between {fewest} and {most}, by what "
        "stones of their sizes weigh."
    ),
    "sizes_by_weight": mark(
        "Size classes were weighed and not counted: their stones follow from what stones of each class weigh."
    ),
    "sizes_by_mean": mark(
        "Of the sizes only the mean weight is known, {mean_ct} ct; it says little, and less if stones were taken out."
    ),
    "number_and_weight_alone": mark(
        "Of the stones only their number and their weight are known ({mean_ct} ct each): too little to compare."
    ),
    "country_in_part": mark("{country}: zones without a reference parcel are left out ({zones})."),
    "carats_not_recorded": mark("No carats are recorded; undeclared goods are given as a share of stones only."),
    "novel_parcel": mark(
        "The parcel lies farther from every zone of the reference than parcels of these zones do ({p_value}): another "
        "source, goods of several sources, or an odd parcel."
    ),
    "novel_parcel.held": mark(
        "The parcel lies farther from every zone of the reference, and from what was declared, than parcels of "
        "these zones do ({p_value}): another source, goods of several sources, or an odd parcel. Support for "
        "the declaration is therefore held at log10 {log10_lr} at most."
    ),
    "unusual_parcel": mark(
        "Few parcels of these zones lie as far from every zone of the reference and from what was declared "
        "({p_value}). Strong support asks for a nearer one: it is held at log10 {log10_lr} at most."
    ),
    "no_alternative": mark(
        "Every other listed source was compliant on that day; the alternative is a source nobody has sampled."
    ),
    "alternatives_abroad_only": mark(
        "Every listed zone of the country was compliant on {day}, or is declared. Only goods from abroad ({zones}) or "
        "from a source nobody has sampled stand against the declaration, other zones of the country do not, and "
        "likelihood ratios lie closer to 1."
    ),
    "varies_more": mark(
        "The parcel lies farther from what was declared than reference parcels of it do ({p_value}): it varies more "
        "than the reference did, and likelihood ratios rest on how parcels of a zone varied there."
    ),
    "rests_on_variance": mark(
        "If parcels of a zone varied {factor} times as much as in the reference, log10 LR would be {log10_lr}, and the "
        "parcel would be neither queried nor called consistent."
    ),
    "not_computed": mark("{field}: not given ({reason})."),
    # value and volume
    "mean_stone_unusual": mark(
        "The mean stone, {mean_ct} ct, lies outside what {parcels} of this size show: {lowest_ct} to {highest_ct} ct."
    ),
    "carats_above_reference": mark(
        "{carats} ct of {zone} is more than its {n_parcels} reference parcels lead to expect: up to {highest_ct} ct."
    ),
    # what the parcel is like, in one sentence
    "headline_like": mark("The parcel is like {source}."),
    "headline_like.others": mark("The parcel is like {source}; it could also come from {other_zones}."),
    "headline_unsettled": mark("It cannot be told whether the parcel comes from {source}."),
    "headline_short": mark("The parcel could come from {source}; other goods in it are not excluded clearly enough."),
    "headline_signs": mark(
        "The parcel is mostly like {source}, with signs of undeclared goods: perhaps {portion} of the stones."
    ),
    "headline_signs.two": mark(
        "The parcel is mostly like {source}, with signs of undeclared goods; their share can be read in two ways."
    ),
    "headline_weights": mark("What follows holds only if the weights are in carats."),
    "headline_mixed": mark("The parcel is mostly like {source}; about {portion} of the stones are not."),
    **{f"headline_{kind}.two": _TWO_WAYS for kind in ("mixed", "partly")},
    "headline_partly": mark("The parcel is partly like {source}; about {portion} of the stones are not."),
    "headline_partly.nearly": mark("Nearly all of the stones are unlike {source}."),
    "headline_unlike": mark("The parcel is unlike {source}."),
    "headline_less": mark("The parcel is less like {source} than like goods from elsewhere."),
    "headline_novel": mark("The parcel is unlike every source of the reference, and unlike {source}."),
    "lr_of_mixed": mark(
        "Mixing is a question of its own. The likelihood ratio asks only whether the parcel as a whole is as declared, "
        "or as a whole from elsewhere; it can speak for the declaration although part of the stones do not fit it."
    ),
    "lr_of_mixed.H2": mark(
        "Mixing is a question of its own. The likelihood ratio asks only whether the parcel as a whole is as declared, "
        "or as a whole from elsewhere; it can speak against the declaration although part of the stones fit it."
    ),
    "lr_of_novel": mark(
        "Being unlike every source is a question of its own. The likelihood ratio asks only which of the two "
        "explanations suits the parcel better; it can speak for the declaration where neither suits it."
    ),
    "lr_of_blend": mark(
        "Whether a zone fits is a question of its own. The likelihood ratio takes the zones together as they were "
        "declared; a blend suits many parcels, and can have one that speaks for it although none of its zones fits."
    ),
    # why this conclusion
    "asks_lr": mark(
        "The likelihood ratio is a reason to ask: what was seen is {times} times as probable of goods from elsewhere "
        "(the limit is {times_limit} times)."
    ),
    "asks_share": mark(
        "Undeclared goods are a reason to ask: at least {low} of the stones do not fit what was declared (the limit is "
        "{low_limit}); chance alone gives so clear a sign in {p_share} of true declarations (the limit is "
        "{p_limit_share})."
    ),
    "asks_share.all": mark(
        "Undeclared goods are a reason to ask: hardly a stone fits what was declared (the limit is {low_limit} that do "
        "not); chance alone gives so clear a sign in {p_share} of true declarations (the limit is {p_limit_share})."
    ),
    "asks_novelty": mark(
        "Its distance from everything in the reference is a reason to ask: {p_share} of parcels of known zones lie as "
        "far (the limit is {p_limit_share})."
    ),
    "short_lr.H1": mark(
        "To be called consistent, what was seen would have to be {times_limit} times as probable of goods as declared "
        "as of goods from elsewhere; it is {times} times as probable."
    ),
    "short_lr.H2": mark(
        "To be called consistent, what was seen would have to be {times_limit} times as probable of goods as declared "
        "as of goods from elsewhere; it is {times} times as probable of goods from elsewhere."
    ),
    "short_lr.even": mark(
        "To be called consistent, what was seen would have to be {times_limit} times as probable of goods as declared "
        "as of goods from elsewhere; it is about as probable of either."
    ),
    "short_share": mark(
        "To be called consistent, the parcel must show no sign of undeclared goods. Here chance alone shows as much in "
        "{p_share} of true declarations, where {p_limit_share} or more is needed."
    ),
    "short_goods": mark(
        "To be called consistent, the parcel must show no sign of any goods but those declared, compliant ones "
        "included. Here chance alone shows as much in {p_share} of true declarations, where {p_limit_share} or more is "
        "needed."
    ),
    "short_best": mark(
        "To be called consistent, the parcel must show no sign of undeclared goods under any declaration of compliant "
        "zones. Each parcel taken under the declaration that suits it best, chance alone shows as much in {p_share} of "
        "true parcels, where {p_limit_share} or more is needed."
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
        "To be called consistent, the parcel must not lie far from everything in the reference: {p_share} of parcels "
        "of known zones lie as far, where {p_limit_share} or more is needed."
    ),
    # what speaks for and against
    **{f"class_{relation}{side}": text for relation in AMOUNTS for side, text in _CLASSES.items()},
    **{f"class_like.{side}": _LIKE_AND_AGAINST for side in ("H2", "inside")},
    "attribute_favours.H1": mark("By {attribute}: {log10_lr_share} in log10, for the declaration."),
    "attribute_favours.H2": mark("By {attribute}: {log10_lr_share} in log10, against the declaration."),
    "attribute_favours": mark("By {attribute}: {log10_lr_share} in log10, which is little either way."),
    "within_ranges": mark("Within what is expected: {n_classes} classes of {n_all}."),
    "within_ranges.old": mark("Within what is expected: {n_classes} classes."),
    "look_first": mark("At the {stones}."),
    "grade_again.H1": mark(
        "A second look at the {attribute}, which carries {part} of the evidence for the declaration."
    ),
    "grade_again.H2": mark(
        "A second look at the {attribute}, which carries {part} of the evidence against the declaration."
    ),
    "declare_screen": mark("A declared bottom screen: the sizes would count for more."),
    # what to ask the exporter next
    "next_declaration": mark("Which zone is the parcel said to come from?"),
    "next_status": mark("On what ground were goods exported that are declared from {zones}, not compliant on {day}?"),
    "next_status_unknown": mark("What was the status of {zones} on {day}? The zone table does not say."),
    "next_reference": mark("Are there parcels known to come from {zones}? Without them nothing can be compared."),
    "next_grading": mark("Can the stones be sieved and graded? Of the {n_stones} too little is known to compare them."),
    "next_weights": mark("In what unit were the stones weighed? No zone has a mean stone of {mean_ct} ct."),
    "next_bought": mark("From whom were the {stones} bought, and on which purchase slips?"),
    "next_missing": mark("Why are there so few {stones}: were some taken out, or sold apart?"),
    "next_sources": mark("Of which purchases was the parcel put together, and was anything taken out of it?"),
    "next_conditions": mark("How was the parcel prepared? Not stated: {fields}."),
    "next_date": mark("On what day were the goods exported? The status of zones is that of the day."),
    "next_carats": mark("Why do the declared zones add up to {declared} ct, and the parcel to {parcel} ct?"),
    "next_nothing": mark("The footprint raises none; the papers are checked as always."),
    "mixture_found": mark(
        "The stones fit undeclared goods among them: a share of {share}, between {low} and {high} ({p_value})."
    ),
    "mixture_found.perhaps": mark(
        "The parcel fits what was declared less than true ones do ({p_value}); whether undeclared goods lie in it, or "
        "goods of compliant zones that were not declared, cannot be told."
    ),
    "mixture_found.two": mark(
        "The stones fit undeclared goods among them ({p_value}); their share can be read in two ways."
    ),
    "split.H1": mark(
        "The stated split suits the parcel better than any other split of the same origins does on average "
        "(log10 {log10_lr})."
    ),
    "split.H2": mark(
        "The stated split suits the parcel worse than any split of the same origins does on average (log10 {log10_lr})."
    ),
    "split": mark("The parcel tells the stated split from other splits of the same origins little (log10 {log10_lr})."),
    "mixture_not_found": mark(
        "No undeclared goods were found ({p_value}); at this size, {detection_limit} of the stones or more "
        "would be found nine times in ten."
    ),
    "mixture_not_found.none": mark(
        "No undeclared goods were found ({p_value}); at this size none could be found reliably, whatever their share."
    ),
    "resembles": mark("The parcel resembles {zone}: probability {posterior} if every zone were as likely beforehand."),
    "resembles_none": mark("The parcel resembles no zone of the reference in particular."),
    "resembles_small": mark(
        "The set of zones is made to hold the right one for {level} of parcels of the reference's sizes, typically "
        "{usual_stones} stones; the fewer stones a parcel has, the less often it does."
    ),
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
    "next_stones": mark_plural(
        "Can more stones of the same production be listed? There is {n_stones}; it takes about {needed}.",
        "Can more stones of the same production be listed? There are {n_stones}; it takes about {needed}.",
        "n_stones",
    ),
    "more_stones": mark_plural(
        "More stones: the parcel has {n_stones}, about {needed} would settle more.",
        "More stones: the parcel has {n_stones}, about {needed} would settle more.",
        "n_stones",
    ),
    "more_references": mark_plural(
        "More reference parcels of {zone}: there is {n_parcels}.",
        "More reference parcels of {zone}: there are {n_parcels}.",
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
    "not_covered": mark("not in the zone table"),
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
    "weights_too_large": mark("the unit of the weights is in doubt"),
    "weights_too_small": mark("the unit of the weights is in doubt"),
    "novel_parcel": mark("the parcel is unlike the whole reference"),
    "not_measured": mark("not measured at this size"),
    "unlisted": mark("a source nobody has sampled"),
}
