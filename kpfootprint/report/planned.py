"""The answers of planning in words, and as documents that are drawn as text, page or PDF."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kpfootprint.report.blocks import Document
from kpfootprint.report.locale import mark
from kpfootprint.report.planned_sections import (
    adequacy_sections,
    drift_sections,
    plan_sections,
    pool_sections,
    sorters_sections,
)
from kpfootprint.report.planned_sentences import planner, sentence

Json = dict[str, Any]


def worded(answer: Mapping[str, Any], zones: Mapping[str, str], lang: str = "en") -> Json:
    """Return an answer of planning with every statement in words beside its code and values.

    Parameters
    ----------
    zones : mapping
        Names of zones by id.
    """
    sp = planner(answer, zones, lang)

    def told(statements: list[Json]) -> list[Json]:
        return [{**one, "text": sentence(sp, one)} for one in statements]

    out: Json = {name: value for name, value in answer.items() if name != "statements"}
    if "statements" in answer:
        out["sentences"] = told(answer["statements"])
        out["sentence"] = " ".join(one["text"] for one in out["sentences"])
    if "cautions" in answer:
        out["cautions"] = told(answer["cautions"])
    if "series" in answer:
        out["series"] = [{**one, "signals": told(one["signals"])} for one in answer["series"]]
    return out


def document_of(answer: Mapping[str, Any], zones: Mapping[str, str], lang: str, *, created_at: str = "") -> Document:
    """Lay an answer of planning out as a document, which text, page and PDF draw.

    Parameters
    ----------
    created_at : str
        Moment that a PDF states, ISO 8601 in UTC.
    """
    sp = planner(answer, zones, lang)
    release = answer.get("release")
    subtitle = "" if release is None else sp.t(mark("Release {release}"), release=release)
    if "detection" in answer:
        declared = sp.zones([item["zone_id"] for item in answer["declared"]])
        title, sections = sp.t(mark("How many stones it takes: {declared}"), declared=declared), plan_sections(sp)
    elif "hardest" in answer:
        title = sp.t(mark("Are the references of {zone} enough?"), zone=sp.zone(answer["zone_id"]))
        sections = adequacy_sections(sp)
    elif "series" in answer:
        whose = [answer["exporter"], answer["zone_id"] and sp.zone(answer["zone_id"])]
        shown = sp.words.row([name for name in whose if name])
        title = sp.t(mark("What changes from shipment to shipment: {whose}"), whose=shown)
        subtitle = sp.t(mark("Shipments followed: {n}"), n=sp.words.number(answer["n_shipments"]))
        sections = drift_sections(sp)
    elif "sorters" in answer:
        title = sp.t(mark("One parcel, several sorters: {goods}"), goods=answer["goods"])
        sections = sorters_sections(sp)
    else:
        title, sections = sp.t(mark("Several parcels as one claim")), pool_sections(sp)
    return Document(
        words=sp.words, title=title, subtitle=subtitle, created_at=created_at, foot=title, sections=tuple(sections)
    )
