"""Several reports in one: several parcels, or one parcel under several declarations, releases or sorters' sheets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kpfootprint.report.blocks import Block, Bullets, Document, Paragraph, Table
from kpfootprint.report.glossary import glossary
from kpfootprint.report.html import render_document
from kpfootprint.report.locale import mark
from kpfootprint.report.messages import TEXTS
from kpfootprint.report.report import Report
from kpfootprint.report.sections.summary import (
    declared,
    detection_limit,
    heading,
    reference_name,
    standing_of_declared,
    status_day,
    undeclared_share,
)
from kpfootprint.report.sentences import Speaker, speaker


def compare_side_by_side(reports: Sequence[Report], lang: str = "en", *, above: str = "", style: str = "") -> str:
    """Render several reports side by side as one HTML file, each under a letter.

    Parameters
    ----------
    reports : sequence of Report
        Two or more, in the order in which they are to stand.
    lang : str
        A language tag; English stands in for a language there is no catalogue of.
    above, style : str
        HTML that a site sets above the reports, and CSS for that; taken as they are.

    Raises
    ------
    ValueError
        Where there are fewer than two reports.
    """
    if len(reports) < 2:
        raise ValueError(f"two reports or more are needed to stand side by side, got {len(reports)}")
    document = _lay_out([(_letter(i), speaker(report, lang)) for i, report in enumerate(reports)])
    return render_document(document, above=above, style=style)


Lettered = Sequence[tuple[str, Speaker]]


def _letter(position: int) -> str:
    """Return A, B, ... Z, AA, AB, ... for a position."""
    before = _letter(position // 26 - 1) if position >= 26 else ""
    return before + chr(65 + position % 26)


def _lay_out(speakers: Lettered) -> Document:
    sp = speakers[0][1]
    contents = [content.content for _, content in speakers]
    ids = [str(content["report_id"]) for content in contents]
    created = max(content["created_at"] for content in contents)
    caption = sp.t("The reports and what each was made of")
    made = _columns(caption, mark("Report"), speakers, _all(speakers, _conditions))
    found = _columns(sp.t("What each report found"), mark("Report"), speakers, _all(speakers, _row))
    sections = (
        sp.section("what", mark("What stands side by side"), *made, *_changes(speakers)),
        sp.section("found", mark("What was found"), *found, *_questions(speakers)),
        sp.section("cautions", mark("Cautions"), *_cautions(speakers)),
        sp.section("weights", mark("What speaks for and against"), *_weights(speakers)),
    )
    listed = [f"{letter} {report_id}" for (letter, _), report_id in zip(speakers, ids, strict=True)]
    return Document(
        words=sp.words,
        title=sp.t("Footprint comparisons side by side"),
        subtitle=sp.words.day(created),
        report_id=" ".join(ids),
        created_at=created,
        foot=" · ".join(listed),
        sections=tuple(section for section in sections if section.blocks),
        glossary=glossary(sp.words),
    )


def _conditions(sp: Speaker) -> dict[str, str]:
    """Return what may differ between reports of one parcel, by its name in words."""
    parcel, model = sp.content["parcel"], sp.content["model"]
    conditions = parcel["conditions"]
    nothing = sp.t("nothing")
    return {
        sp.t("Parcel"): parcel["parcel_id"],
        sp.t("Declared"): declared(sp) or nothing,
        sp.t("Status of zones on"): status_day(sp).replace(" ", "\u00a0", 1),
        sp.t("Status"): standing_of_declared(sp) or "\u2013",
        sp.t("Release"): model["release"],
        sp.t("Reference"): reference_name(sp),
        sp.t("Sorter"): conditions["sorter"] or "\u2013",
        sp.t("Cleaning state"): sp.label(conditions["cleaning_state"]),
        sp.t("Selection"): sp.label(conditions["selection"]),
        sp.t("Bottom screen (mm)"): sp.words.trimmed(conditions["bottom_screen_mm"], 3),
        sp.t("Stones"): sp.words.count(parcel["n_stones"]),
    }


COLUMNS = 5
"""Most reports that stand beside each other in one table; more go into a further one."""


def _columns(caption: str, corner: str, speakers: Lettered, rows: Mapping[str, Sequence[str]]) -> tuple[Table, ...]:
    """Return tables with a report a column, `COLUMNS` in each; none where there are no rows."""
    tables = []
    for start in range(0, len(speakers) if rows else 0, COLUMNS):
        letters = tuple(letter for letter, _ in speakers[start : start + COLUMNS])
        which = letters[0] if len(letters) == 1 else f"{letters[0]}\u2013{letters[-1]}"
        tables.append(
            Table(
                caption=caption if len(speakers) <= COLUMNS else f"{caption} ({which})",
                header=(speakers[0][1].t(corner), *letters),
                rows=tuple((name, *values[start : start + COLUMNS]) for name, values in rows.items()),
                numeric=(False,) * (1 + len(letters)),
            )
        )
    return tuple(tables)


def _all(speakers: Lettered, said: Callable[[Speaker], Mapping[str, str]]) -> dict[str, tuple[str, ...]]:
    """Return what is said of each report, by its name in words."""
    found = [said(sp) for _, sp in speakers]
    return {name: tuple(column[name] for column in found) for name in found[0]}


def _changes(speakers: Lettered) -> list[Block]:
    """Say what differs between the reports and whether the conclusion changes with it."""
    sp = speakers[0][1]
    conditions = [_conditions(content) for _, content in speakers]
    differing = [name for name in conditions[0] if len({found[name] for found in conditions}) > 1]
    conclusions = [heading(content) for _, content in speakers]
    said = [
        sp.t("The reports differ in: {names}.", names=sp.words.listing(differing))
        if differing
        else sp.t("The reports differ in nothing that is listed here.")
    ]
    if len(set(conclusions)) == 1:
        said.append(sp.t("The conclusion is the same in all of them: {conclusion}.", conclusion=conclusions[0]))
    else:
        each = sp.t("; ").join(
            sp.t("{letter}: {text}", letter=letter, text=text)
            for (letter, _), text in zip(speakers, conclusions, strict=True)
        )
        said.append(sp.t("The conclusion changes: {each}.", each=each))
    values = [c.content["verification"]["log10_lr"] for _, c in speakers if c.content["verification"] is not None]
    if len(values) > 1:
        spread = sp.words.number(max(values) - min(values), 2)
        said.append(sp.t("The log10 likelihood ratios lie at most {spread} apart.", spread=spread))
    return [Paragraph(text=text) for text in said]


def _questions(speakers: Lettered) -> list[Block]:
    """Name the two hypotheses of every report, since a likelihood ratio means nothing without them."""
    items = tuple(
        sp.t(
            "{letter}: H1, {h1}; H2, {h2}",
            letter=letter,
            h1=sp.say(sp.content["verification"]["h1"]),
            h2=sp.say(sp.content["verification"]["h2"]),
        )
        for letter, sp in speakers
        if sp.content["verification"] is not None
    )
    return [Bullets(items=items, title=speakers[0][1].t("H1 and H2"))] if items else []


def _row(sp: Speaker) -> dict[str, str]:
    found, rates = (sp.content[name] or {} for name in ("verification", "error_rates"))
    mixture, novelty, dash = sp.content["mixture"], sp.content["novelty"], "\u2013"
    return {
        sp.t("Conclusion"): heading(sp),
        sp.t("log10 LR"): sp.log10(found.get("log10_lr")),
        sp.t("Interval"): sp.log10_span(found.get("low"), found.get("high")),
        **{sp.t(name): sp.share((rates.get(rate) or {}).get("rate")) for rate, name in TEXTS["errors"].items()},
        sp.t("Undeclared share of stones"): dash if mixture is None else undeclared_share(sp, mixture),
        sp.t("Detection limit"): dash if mixture is None else detection_limit(sp, mixture),
        sp.t("Novelty (p)"): dash if novelty is None else sp.words.probability(novelty["p_value"]),
    }


def _weights(speakers: Lettered) -> tuple[Block, ...]:
    """Return the Shapley shares and the observed classes, a column for each report."""
    sp = speakers[0][1]
    shares = _gathered(speakers, "attributes", "log10_lr_share")
    said = {sp.names.attribute(name[0]): tuple(map(sp.log10, values)) for name, values in shares.items()}
    caption = sp.t("What each attribute adds to the log10 likelihood ratio")
    tables = list(_columns(caption, mark("Attribute"), speakers, said))
    seen = _gathered(speakers, "classes", "observed")
    for attribute in dict.fromkeys(name[0] for name in seen):
        said = {
            sp.names.class_(*name): tuple(map(sp.share, values))
            for name, values in seen.items()
            if name[0] == attribute
        }
        caption = sp.t("{attribute}: observed share of stones", attribute=sp.names.attribute(attribute))
        tables += _columns(caption, mark("Class"), speakers, said)
    return tuple(tables)


def _gathered(speakers: Lettered, member: str, value: str) -> dict[tuple[str, ...], list[float | None]]:
    """Return a value of the explanation's rows by attribute (and class), None where a report has no such row."""
    columns: list[dict[tuple[str, ...], Any]] = []
    for _, sp in speakers:
        rows = (sp.content["explanation"] or {member: []})[member]
        columns.append({(r["name"],) if "name" in r else (r["attribute"], r["class"]): r[value] for r in rows})
    names = dict.fromkeys(name for column in columns for name in column)
    return {name: [column.get(name) for column in columns] for name in names}


def _cautions(speakers: Lettered) -> tuple[Block, ...]:
    sp = speakers[0][1]
    return tuple(
        Bullets(
            title=sp.t("Report {letter}", letter=letter),
            items=content.says(content.cautions),
            tone="caution",
        )
        for letter, content in speakers
        if content.content["cautions"]
    )
