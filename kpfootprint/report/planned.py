"""The answers of planning in words, and as documents that are drawn as text, page or PDF."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kpfootprint.report.adequacy import adequacy_sections
from kpfootprint.report.blocks import Document
from kpfootprint.report.locale import mark, words
from kpfootprint.report.planned_sections import drift_sections, plan_sections, pool_sections
from kpfootprint.report.planned_sentences import Voice
from kpfootprint.report.sorters import sorters_sections
from kpfootprint.report.text import document_text

Json = dict[str, Any]


def worded(answer: Mapping[str, Any], zones: Mapping[str, str], lang: str = "en") -> Json:
    """Return an answer of planning with every statement in words beside its code and values.

    Parameters
    ----------
    zones : mapping
        Names of zones by id.
    """
    voice = Voice(words(lang), zones, answer.get("labels", {}))
    out: Json = {name: value for name, value in answer.items() if name != "statements"}
    if "statements" in answer:
        out["sentence"] = " ".join(voice.sentence(one) for one in answer["statements"])
        out["sentences"] = [{**one, "text": voice.sentence(one)} for one in answer["statements"]]
    if "cautions" in answer:
        out["cautions"] = [{**one, "text": voice.sentence(one)} for one in answer["cautions"]]
    if "series" in answer:
        out["series"] = [
            {**one, "signals": [{**signal, "text": voice.sentence(signal)} for signal in one["signals"]]}
            for one in answer["series"]
        ]
    return out


def answer_text(answer: Mapping[str, Any], zones: Mapping[str, str], lang: str) -> str:
    """Render an answer that `worded` has worded as plain text."""
    return document_text(document_of(answer, zones, lang))


def document_of(answer: Mapping[str, Any], zones: Mapping[str, str], lang: str, *, created_at: str = "") -> Document:
    """Lay an answer of planning out as a document, which text, page and PDF draw.

    Parameters
    ----------
    created_at : str
        Moment that a PDF states, ISO 8601 in UTC.
    """
    said = words(lang)
    voice = Voice(said, zones, answer.get("labels", {}))
    release = answer.get("release")
    subtitle = "" if release is None else said.text(mark("Release {release}"), release=release)
    if "detection" in answer:
        declared = said.listing([voice.zone(item["zone_id"]) for item in answer["declared"]])
        title = said.text(mark("How many stones it takes: {declared}"), declared=declared)
        sections = plan_sections(answer, voice)
    elif "hardest" in answer:
        title = said.text(mark("Are the references of {zone} enough?"), zone=voice.zone(answer["zone_id"]))
        sections = adequacy_sections(answer, voice)
    elif "series" in answer:
        whose = [answer["exporter"], answer["zone_id"] and voice.zone(answer["zone_id"])]
        title = said.text(
            mark("What changes from shipment to shipment: {whose}"), whose=said.row([name for name in whose if name])
        )
        subtitle = said.text(mark("Shipments followed: {n}"), n=said.number(answer["n_shipments"]))
        sections = drift_sections(answer, voice)
    elif "sorters" in answer:
        title = said.text(mark("One parcel, several sorters: {goods}"), goods=answer["goods"])
        sections = sorters_sections(answer, voice)
    else:
        title, sections = said.text(mark("Several parcels as one claim")), pool_sections(answer, voice)
    return Document(
        lang=said.lang,
        title=title,
        subtitle=subtitle,
        report_id="",
        created_at=created_at,
        foot=title,
        sections=tuple(sections),
        glossary_heading="",
        skip=said.text(mark("Skip to the report")),
        data_label=said.text(mark("The figures behind this picture")),
        sections_label=said.text(mark("Sections")),
    )
