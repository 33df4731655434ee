"""What was written into the form: shown again as it was, and turned into the fields of a JSON parcel."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from starlette.datastructures import FormData

from service.door.bodies import text_of, texts_of
from service.routes.parcels import given_parcel

ROWS = 10
BLANK = ("",) * ROWS


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The fields of the form, as text; `zones` and `carats` are the rows of the declaration."""

    pasted: str = ""
    parcel_id: str = ""
    exported_on: str = ""
    certificate_no: str = ""
    cleaning_state: str = ""
    selection: str = ""
    specials_removed: str = ""
    sorter: str = ""
    bottom_screen_mm: str = ""
    sieve_set: str = ""
    zones: tuple[str, ...] = BLANK
    carats: tuple[str, ...] = BLANK

    def parcel(self) -> dict[str, Any]:
        """Return the filled fields in the shape of the JSON parcel, without stones."""
        rows = zip(self.zones, self.carats, strict=True)
        return given_parcel(
            asdict(self), [f"{zone}={amount}" if amount else zone for zone, amount in rows if zone or amount]
        )


def given_in(form: FormData) -> Given:
    """Return what a form holds."""
    single = {name: text_of(form, name) for name in Given.__dataclass_fields__ if name not in {"zones", "carats"}}
    rows = {name: _row(form, field) for name, field in (("zones", "zone"), ("carats", "carats"))}
    return Given(**single, **rows)  # type: ignore[arg-type]


def _row(form: FormData, name: str) -> tuple[str, ...]:
    values = [value.strip() for value in texts_of(form, name)][:ROWS]
    return (*values, *BLANK[len(values) :])
