"""Example parcels that are one click away from their report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kpfootprint.release import Release

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A stones table of ``examples/`` and what is declared of it; title and text are English messages."""

    name: str
    file: str
    title: str
    about: str
    parcel: Mapping[str, Any] = field(default_factory=dict)

    def path(self) -> Path:
        """Return where its table is: beside the packages in the source tree, inside this one in a wheel."""
        tree, wheel = HERE.parents[1] / "examples" / self.file, HERE / "_examples" / self.file
        return wheel if wheel.exists() else tree


def _berberati(name: str, **known: str | float) -> dict[str, Any]:
    return {
        "parcel_id": name,
        "exported_on": "2024-03-11",
        "declarations": [{"zone_id": "berberati"}],
        "conditions": {"cleaning_state": "acid_rinsed", "selection": "run_of_mine", **known},
    }


EXAMPLES = (
    Example(
        name="true",
        file="true_berberati.csv",
        title="A parcel as declared",
        about="600 stones of Berbérati, declared as Berbérati.",
        parcel=_berberati("true_berberati", sorter="S7", bottom_screen_mm=1.98),
    ),
    Example(
        name="false",
        file="false_berberati.csv",
        title="A parcel from elsewhere",
        about="600 stones of Bria, declared as Berbérati.",
        parcel=_berberati("false_berberati", sorter="S5", bottom_screen_mm=1.93),
    ),
    Example(
        name="mixed",
        file="mixed_berberati_bria.csv",
        title="A parcel with other goods in it",
        about="540 stones of Berbérati and 360 of Bria, declared as Berbérati.",
        parcel=_berberati("mixed_berberati_bria", bottom_screen_mm=1.93),
    ),
    Example(
        name="undeclared",
        file="no_declaration.csv",
        title="A parcel without papers",
        about="400 stones and no declaration: what do they resemble?",
        parcel={
            "parcel_id": "no_declaration",
            "exported_on": "2024-03-11",
            "conditions": {"cleaning_state": "unwashed"},
        },
    ),
)


def available(release: Release) -> tuple[Example, ...]:
    """Return the examples whose tables are here and that the release can compare: by their attributes and zones."""
    if not {"colour", "morphology"} <= set(release.scheme.attribute_names):
        return ()
    known = set(release.zone_table.names)
    return tuple(
        item
        for item in EXAMPLES
        if item.path().is_file() and {one["zone_id"] for one in item.parcel.get("declarations", ())} <= known
    )
