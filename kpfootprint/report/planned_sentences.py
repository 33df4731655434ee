"""What the answers of planning say: their sentences by code, and how the values in them are shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kpfootprint.report.locale import Names, mark, words
from kpfootprint.report.messages import TEMPLATES
from kpfootprint.report.sections.summary import HEADINGS
from kpfootprint.report.sentences import Speaker, in_sentence, label

SENTENCES: dict[str, str] = {
    "plan_stones": mark(
        "About {n_stones} stones are needed to find {share} of goods from {against} nine times in ten; however many "
        "stones there are, less than {floor} is not found so surely."
    ),
    "plan_too_many": mark(
        "More than {n_stones} stones would be needed to find {share} of goods from {against} nine times in ten; "
        "however many there are, less than {floor} is not found so surely."
    ),
    "plan_never": mark(
        "No number of stones finds {share} of goods from {against} nine times in ten: parcels of one "
        "zone differ too much. "
        "With the largest size tried the chance is {most}, where a parcel without any such goods has 5%; the smallest "
        "share found so surely is {floor}."
    ),
    "plan_not_distinguishable": mark(
        "Goods from {against} cannot be told from what was declared reliably enough by this reference: even a parcel "
        "that holds nothing "
        "else is found in {whole} of cases, however many stones it has, and not nine times in ten."
    ),
    "none_non_compliant": mark(
        "No zone of the reference that was not declared was other than compliant on {on}; the undeclared goods are "
        "taken to come from a source nobody has sampled."
    ),
    "taken_as_compliant": mark("Not compliant on {on}, and asked about as if it were: {zones}."),
    "status_not_known": mark(
        "The zone table says nothing of {zones} on {on}: asked about as if compliant, and others as if they were not."
    ),
    "few_parcels": mark(
        "Few reference parcels, {n_parcels}: how much parcels of {zone} differ is taken from all zones together."
    ),
    "adequacy": mark(
        "With {n_parcels} reference parcels, {share} of true declarations of {zone} are called consistent."
    ),
    "adequacy_hides": mark(
        "Of false ones, goods from {hardest} pass most easily: {passing} of such parcels do (at most {at_most})."
    ),
    "adequacy_none_passes": mark(
        "No false one passes: of {n_drawn} parcels from {hardest}, the zone most like it, none was called consistent "
        "(at most {at_most} would be)."
    ),
    "adequacy_gain": mark(
        "With {extra_parcels} further parcels of {zone}, {then} of true declarations would be called consistent."
    ),
    "adequacy_gain_lr": mark(
        "With {extra_parcels} further parcels of {zone}, likelihood ratios would say more (Cllr {cllr} instead of "
        "{cllr_now}); as many true declarations as today would be called consistent."
    ),
    "adequacy_no_gain": mark(
        "Further parcels of {zone} would change little: how much parcels of one zone differ limits more than how well "
        "its {n_parcels} reference parcels place it."
    ),
    "adequacy_collect": mark(
        "If parcels are collected, those of {collect} come first: of the two it is known from fewer. That is a rule of "
        "thumb; what each parcel would bring was not computed."
    ),
    "adequacy_collect_own": mark(
        "If parcels are collected, those of {collect} come first. That is a rule of thumb; what each parcel would "
        "bring was not computed."
    ),
    "pool_mixed": mark(
        "Together the parcels show signs of undeclared goods: {share} of all stones, between {low} and {high} "
        "({p_value}). Mixing is a question of its own; the likelihood ratio asks only whether the parcels as a whole "
        "are as declared, or as a whole from elsewhere."
    ),
    "pool_for": mark(
        "What was seen in the parcels together is {times} times as probable of goods as declared as of goods "
        "from elsewhere."
    ),
    "pool_against": mark(
        "What was seen in the parcels together is {times} times as probable of goods from elsewhere as of "
        "goods as declared."
    ),
    "pool_neither": mark("Taken together, the parcels speak neither for what was declared nor against it."),
    "counted_once": mark("{parcel} holds the goods of {first} and was counted once, with it."),
    "declared_otherwise": mark(
        "{parcel} holds the goods of {first} under another declaration: it was left out, and the papers contradict "
        "each other."
    ),
    "one_parcel": mark("One parcel alone was pooled: what stands here is what its own report says."),
    "different_declarations": mark(
        "The parcels declare different zones. Together they ask whether all of them are what they "
        "were declared; a single "
        "false one speaks against all."
    ),
    "bound_hit": mark("The joint likelihood ratio is held at its bound, log10 {log10_lr}."),
    "level_rose": mark("{series} rose by {shift} from {since} on."),
    "level_fell": mark("{series} fell by {shift} from {since} on."),
    "sorters_same": mark("All sheets lead to the same conclusion: {conclusion}."),
    "sorters_change": mark("The conclusion depends on whose sheet is taken: {conclusions}."),
    "sorters_undeclared": mark("Nothing was declared, so no sheet leads to a conclusion."),
    "sorters_near": mark("Their log10 likelihood ratios lie at most {log10_lr} apart."),
    "sorters_apart": mark("Their log10 likelihood ratios lie {log10_lr} apart, and they differ most over {attribute}."),
    "sorters_class": mark("The largest difference is in {class}: from {low} to {high} of the stones."),
    "sorters_usual": mark(
        "{attribute}: {first} and {second} differ as they do on {n_parcels} other parcels that both sorted ({usual_p})."
    ),
    "sorters_unusual": mark(
        "{attribute}: {first} and {second} differ in another way than on {n_parcels} other parcels that both sorted "
        "({usual_p})."
    ),
    "sheets_differ_in_stones": mark(
        "The sheets have from {least} to {most} stones; are they of one parcel, sorted at one time?"
    ),
    "sheets_differ_in_carats": mark(
        "The sheets have from {least} to {most} carats; are they of one parcel, sorted at one time?"
    ),
    "recorded_by_some": mark("Not recorded on every sheet, and not compared: {attributes}."),
    "sieved_differently": mark("The sheets use different size classes; sizes are not compared class by class."),
    **{code: TEMPLATES[code] for code in ("synthetic_reference", "zone_not_compliant", "no_export_date")},
}
TIMES = {
    "level_rose": mark("{series} rose to {times} times its earlier level from {since} on."),
    "level_fell": mark("{series} fell to {times} times its earlier level from {since} on."),
}
"""A change of level where a chart follows logarithms."""
CHANGED = mark("With that shipment these conditions changed: {changed}.")
AGAINST = {
    "non_compliant": mark("zones that were not compliant"),
    "nowhere": mark("a source nobody has sampled"),
}
SERIES = {
    "size": mark("Typical stone size, the screen allowed for"),
    "log10_lr": mark("log10 likelihood ratio"),
    "undeclared": mark("Undeclared share of stones"),
    "value_per_carat": mark("Value per carat"),
}
CONDITIONS = {
    "cleaning_state": mark("cleaning state"),
    "selection": mark("selection"),
    "sorter": mark("sorter"),
    "bottom_screen_mm": mark("bottom screen"),
    "specials_removed": mark("specials taken out"),
    "sieve_set": mark("sieve set"),
}
_SHARES = {"share", "floor", "most", "passing", "then", "whole", "at_most", "low", "high"}


Json = Mapping[str, Any]


def planner(answer: Json, zones: Mapping[str, str], lang: str) -> Speaker:
    """Return the speaker of an answer; `zones` are names by id, those of attributes and classes are in the answer."""
    said = words(lang)
    labels = {
        name: texts.get(said.lang, name.partition(":")[2] or name) for name, texts in answer.get("labels", {}).items()
    }
    return Speaker(
        answer,
        said,
        Names(
            {**zones, **{name: said.text(text) for name, text in AGAINST.items()}},
            {name: said.sentence(text) for name, text in labels.items() if ":" not in name},
            {(name.partition(":")[0], name.partition(":")[2]): text for name, text in labels.items() if ":" in name},
            frozenset(),
        ),
    )


def sentence(sp: Speaker, statement: Json) -> str:
    """Return a statement of planning in words."""
    code, values = statement["code"], statement["values"]
    message = TIMES[code] if "times" in values and "since" in values else SENTENCES[code]
    shares = set() if code.startswith("sheets_differ") else _SHARES
    text = sp.t(message, **{name: _shown(sp, name, value, shares, values) for name, value in values.items()})
    if values.get("changed"):
        changed = [sp.t(CONDITIONS[name]) if name in CONDITIONS else name for name in values["changed"]]
        text += " " + sp.t(CHANGED, changed=sp.words.listing(changed))
    return sp.words.sentence(text)


def named(sp: Speaker, name: str) -> str:
    """Return the label of an attribute, or of a class as ``attribute:class``, with its attribute before it."""
    attribute, colon, item = name.partition(":")
    label = sp.names.attribute(attribute)
    return f"{label}{sp.words.colon}{sp.names.class_(attribute, item)}" if colon else label


def series_name(sp: Speaker, name: str) -> str:
    """Return what a chart follows."""
    return sp.t(SERIES[name]) if name in SERIES else named(sp, name)


def conclusion(sp: Speaker, kind: str | None) -> str:
    """Return a conclusion in words."""
    return sp.t(HEADINGS[kind or "undeclared"])


def declared_in(sp: Speaker, parcel: Json) -> str:
    """Name what a parcel of a claim declares: zones, or countries."""
    return sp.words.listing([sp.names.zones.get(item) or sp.words.country(item) for item in parcel["declared"]])


def status_in(sp: Speaker, parcel: Json) -> str:
    """Say the status of what a parcel of a claim declares, on its day."""
    statuses = sorted({label(item, sp.words) for item in parcel["status"]})
    return f"{sp.words.row(statuses)}, {sp.words.day(parcel['status_on'])}"


def _shown(sp: Speaker, name: str, value: Any, shares: set[str], values: Json) -> str:
    if name in shares:
        return sp.share(value)
    if name == "shift" and values["series"] == "undeclared":
        return sp.t("{n} percentage points", n=sp.words.number(100 * abs(value)))
    if name in _KINDS:
        return _KINDS[name](sp, value)
    if isinstance(value, float):
        value = abs(value) if name == "shift" else value
        return sp.words.number(value) if abs(value) >= 10 and name == "times" else sp.words.trimmed(value, 2)
    return sp.words.number(value) if isinstance(value, int) else str(value)


_KINDS: Mapping[str, Callable[[Speaker, Any], str]] = {
    **dict.fromkeys(("zone", "hardest", "collect", "against"), Speaker.zone),
    **dict.fromkeys(("since", "on", "day", "status_on"), lambda sp, value: sp.words.day(value)),
    **dict.fromkeys(("attribute", "class"), lambda sp, value: in_sentence(named(sp, value))),
    "zones": Speaker.zones,
    "status": Speaker.label,
    "series": series_name,
    "conclusion": conclusion,
    **dict.fromkeys(("p_value", "usual_p"), lambda sp, value: sp.words.p_value(value)),
    "attributes": lambda sp, value: sp.words.listing([named(sp, one) for one in value]),
    "conclusions": lambda sp, value: sp.words.row(
        [f"{sorter}{sp.words.colon}{conclusion(sp, kind)}" for sorter, kind in value.items()]
    ),
}
"""How a value is shown, by its name."""


def worded(answer: Mapping[str, Any], zones: Mapping[str, str], lang: str = "en") -> dict[str, Any]:
    """Return an answer of planning with every statement in words beside its code and values.

    Parameters
    ----------
    zones : mapping
        Names of zones by id.
    """
    sp = planner(answer, zones, lang)

    def told(statements: Sequence[Json]) -> list[Json]:
        return [{**one, "text": sentence(sp, one)} for one in statements]

    out: dict[str, Any] = {name: value for name, value in answer.items() if name != "statements"}
    if "statements" in answer:
        out["sentences"] = told(answer["statements"])
        out["sentence"] = " ".join(one["text"] for one in out["sentences"])
    if "cautions" in answer:
        out["cautions"] = told(answer["cautions"])
    if "series" in answer:
        out["series"] = [{**one, "signals": told(one["signals"])} for one in answer["series"]]
    return out
