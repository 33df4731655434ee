"""Example parcels that are one click away from their report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kpfootprint.release import Release

HERE = Path(__file__).parent
RINSED = {"cleaning_state": "acid_rinsed", "selection": "run_of_mine"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A stones table of ``examples/`` and what is said of its parcel; title and text are English messages."""

    name: str
    table: str
    title: str
    about: str
    conditions: Mapping[str, Any]
    declared: tuple[str, ...] = ("berberati",)

    @property
    def file(self) -> str:
        """The name of its table."""
        return f"{self.table}.csv"

    @property
    def parcel(self) -> dict[str, Any]:
        """What is said of the parcel, in the shape of the JSON parcel."""
        said = {"parcel_id": self.table, "exported_on": "2024-03-11", "conditions": self.conditions}
        return said | ({"declarations": [{"zone_id": zone} for zone in self.declared]} if self.declared else {})

    def path(self) -> Path:
        """Return where its table is: beside the packages in the source tree, inside this one in a wheel."""
        tree, wheel = HERE.parents[1] / "examples" / self.file, HERE / "_examples" / self.file
        return wheel if wheel.exists() else tree


EXAMPLES = (
    Example(
        name="true",
        table="true_berberati",
        title="A parcel as declared",
        about="600 stones of Berbérati, declared as Berbérati.",
        conditions={**RINSED, "sorter": "S7", "bottom_screen_mm": 1.98},
    ),
    Example(
        name="false",
        table="false_berberati",
        title="A parcel from elsewhere",
        about="600 stones of Bria, declared as Berbérati.",
        conditions={**RINSED, "sorter": "S5", "bottom_screen_mm": 1.93},
    ),
    Example(
        name="mixed",
        table="mixed_berberati_bria",
        title="A parcel with other goods in it",
        about="540 stones of Berbérati and 360 of Bria, declared as Berbérati.",
        conditions={**RINSED, "bottom_screen_mm": 1.93},
    ),
    Example(
        name="undeclared",
        table="no_declaration",
        title="A parcel without papers",
        about="400 stones and no declaration: what do they resemble?",
        conditions={"cleaning_state": "unwashed"},
        declared=(),
    ),
)


def available(release: Release) -> tuple[Example, ...]:
    """Return the examples whose tables are here and that the release can compare: by their attributes and zones."""
    if not {"colour", "morphology"} <= set(release.scheme.attribute_names):
        return ()
    known = set(release.zone_table.names)
    return tuple(item for item in EXAMPLES if item.path().is_file() and known.issuperset(item.declared))
