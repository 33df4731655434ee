"""What was written into the form: shown again as it was, and turned into the fields of a JSON parcel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.datastructures import FormData

from kpfootprint.ingest import number_given
from service.door.forms import text_of, texts_of

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
        conditions: dict[str, Any] = {
            "cleaning_state": self.cleaning_state,
            "selection": self.selection,
            "sorter": self.sorter,
            "sieve_set": self.sieve_set,
            "bottom_screen_mm": number_given(self.bottom_screen_mm) if self.bottom_screen_mm else None,
            "specials_removed": {"yes": True, "no": False}.get(self.specials_removed),
        }
        declarations = [
            _declared(zone, carats) for zone, carats in zip(self.zones, self.carats, strict=True) if zone or carats
        ]
        parcel: dict[str, Any] = {
            "parcel_id": self.parcel_id,
            "exported_on": self.exported_on,
            "certificate_no": self.certificate_no,
            "declarations": declarations,
            "conditions": _filled(conditions),
        }
        return _filled(parcel)


def _declared(zone: str, amount: str) -> dict[str, Any]:
    """Return a row of the declaration: a zone, or ``country:CF``, with carats or ``60%`` of them."""
    country = zone.removeprefix("country:") if zone.startswith("country:") else ""
    percent = amount.removesuffix("%").strip() if amount.endswith("%") else ""
    return _filled(
        {
            "zone_id": "" if country else zone,
            "country": country,
            "carats": number_given(amount) if amount and not percent else None,
            "percent": number_given(percent) if percent else None,
        }
    )


def given_in(form: FormData) -> Given:
    """Return what a form holds."""
    single = {name: text_of(form, name) for name in Given.__dataclass_fields__ if name not in {"zones", "carats"}}
    rows = {name: _row(form, field) for name, field in (("zones", "zone"), ("carats", "carats"))}
    return Given(**single, **rows)  # type: ignore[arg-type]


def _row(form: FormData, name: str) -> tuple[str, ...]:
    values = [value.strip() for value in texts_of(form, name)][:ROWS]
    return (*values, *BLANK[len(values) :])


def _filled(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in ("", None, [], {})}
