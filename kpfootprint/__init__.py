"""Footprint comparison of rough-diamond parcels.

One parcel, from a file to its report::

    from datetime import UTC, datetime
    from pathlib import Path

    import kpfootprint

    release = kpfootprint.load_release(kpfootprint.shipped_release())
    parcel = kpfootprint.ingest_file(
        Path("stones.csv"), release.scheme, release.zone_table, parcel={"declarations": [{"zone_id": "berberati"}]}
    )
    now = datetime.now(UTC)
    (report,) = kpfootprint.examine(kpfootprint.Batch((parcel,)), release, status_on=now.date(), created_at=now)
    print(kpfootprint.render_text(report))

These dozen names are what other programs may rely on; the types behind them (`Parcel`, `Release`, `Report`) and the
kinds of `KPFootprintError` are in the modules ``parcel``, ``release``, ``report`` and ``errors``. Names are imported
from their rooms when they are first asked for, so that looking at the version costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kpfootprint.errors import KPFootprintError as KPFootprintError
    from kpfootprint.flow import examine as examine
    from kpfootprint.ingest import ingest_file as ingest_file
    from kpfootprint.ingest import ingest_json as ingest_json
    from kpfootprint.ingest import ingest_submission as ingest_submission
    from kpfootprint.parcel import Batch as Batch
    from kpfootprint.release import load_release as load_release
    from kpfootprint.release import shipped_release as shipped_release
    from kpfootprint.report import read_report as read_report
    from kpfootprint.report import render_html as render_html
    from kpfootprint.report import render_pdf as render_pdf
    from kpfootprint.report import render_text as render_text

__version__ = "0.1.0"

_ROOMS = {
    "errors": ("KPFootprintError",),
    "flow": ("examine",),
    "ingest": ("ingest_file", "ingest_json", "ingest_submission"),
    "parcel": ("Batch",),
    "release": ("load_release", "shipped_release"),
    "report": ("read_report", "render_html", "render_pdf", "render_text"),
}
__all__ = ["__version__", *(name for names in _ROOMS.values() for name in names)]


def __getattr__(name: str) -> object:
    for room, names in _ROOMS.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{room}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
