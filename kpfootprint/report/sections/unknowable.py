"""What nobody can know from a footprint, and what this report was made with."""

from __future__ import annotations

from kpfootprint.report.blocks import Bullets, Facts, Section
from kpfootprint.report.locale import mark
from kpfootprint.report.report import short_code
from kpfootprint.report.sections.summary import detection_limit, reference_counts
from kpfootprint.report.sentences import Speaker


def limits(sp: Speaker) -> Section:
    """Return the section on what the report cannot say."""
    content = sp.content
    items = [
        sp.t(mark("Where a single stone was mined. A footprint describes a parcel as a whole, never one stone.")),
        sp.t(
            mark(
                "Whether goods that look like those of a zone were mined there. Neighbouring zones share their "
                "geology, and their footprints overlap."
            )
        ),
        sp.t(mark("Who dug, held, sold or carried the stones. A footprint speaks of geology alone.")),
        sp.t(
            mark(
                "What was taken out beforehand. Sieving, picking over and acid change a footprint beyond what "
                "the conditions tell."
            )
        ),
        sp.t(mark("How a source looks that nobody has sampled.")),
    ]
    if content["verification"] is not None:
        items.append(
            sp.t(
                mark(
                    "How probable the declaration is. The likelihood ratio weighs what was seen; everything else that "
                    "is known of the parcel is for the reader to weigh with it."
                )
            )
        )
    if content["mixture"] is not None:
        items.append(
            sp.t(
                mark("Whether there are undeclared goods below the detection limit ({limit})."),
                limit=detection_limit(sp, content["mixture"]),
            )
        )
    heading = sp.t(mark("What nobody can know from it"))
    return Section(key="limits", heading=heading, blocks=(Bullets(items=tuple(items)),))


def provenance(sp: Speaker) -> Section:
    """Return the section on what the report was made with."""
    content = sp.content
    model, software = content["model"], content["software"]
    rows = (
        (sp.t(mark("Report")), content["report_id"]),
        (sp.t(mark("Short code")), short_code(content["report_id"])),
        (sp.t(mark("Made")), f"{sp.words.day(content['created_at'])}, {content['created_at'][11:16]} UTC"),
        (sp.t(mark("Software")), f"{software['name']} {software['version']}"),
        (sp.t(mark("Release")), f"{model['release']} ({model['manifest_sha256']})"),
        (
            sp.t(mark("Reference")),
            f"{model['reference']['name']} {model['reference']['version']} ({model['reference']['sha256']})",
        ),
        (sp.t(mark("Parcels of each zone")), reference_counts(sp)),
    )
    return Section(key="provenance", heading=sp.t(mark("How this report was made")), blocks=(Facts(rows=rows),))
