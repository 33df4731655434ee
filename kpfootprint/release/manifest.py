"""What the manifest of a release must say, member by member, before anything is computed with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from kpfootprint.conclusions import BEFORE, Rules
from kpfootprint.errors import KPFootprintError, ReleaseError
from kpfootprint.reference import ZoneTable
from kpfootprint.retold import Said, said_of
from kpfootprint.scheme import Scheme
from kpfootprint.strict_json import is_number
from kpfootprint.visible import is_visible

RATE = {"rate": float, "low": float, "high": float, "errors": int, "trials": int}
MANIFEST: Mapping[str, Any] = {
    "release": str,
    "released": bool,
    "scheme": {"attributes": [dict], "sieve_sets": [dict]},
    "zone_table": {"zones": [dict], "zone_status": (dict,)},
    "zone_ids": [str],
    "level_names": [[str]],
    "unlisted_weight": float,
    "rules": {item.name: float for item in fields(Rules) if item.name not in BEFORE},
    "reference": {"name": str, "version": str, "sha256": str, "synthetic": bool, "n_parcels": {...: int}},
    "verbal_scale": {"name": str, "bands": [{"band": str}]},
    "error_rates": [{"n_stones_low": int, "n_stones_high": int}],
    "n_ranked": int,
}
"""Members that are read, each with its kind: a type, an object of members, a list of one kind (``{...: kind}`` is an
object of any names, ``(kind,)`` a list that may be empty). A manifest may say more."""


def check_manifest(manifest: Mapping[str, Any]) -> None:
    """Check kinds and ranges of a manifest, and that its members agree.

    Raises
    ------
    ReleaseError
        With the member that cannot be used, what it is and what belongs there.
    """
    _require("", manifest, MANIFEST)
    _require("carats", manifest.get("carats", {}), {...: (float,)})
    if not is_visible(manifest["release"]) or set(manifest["release"]) & set("/\\<>"):
        raise ReleaseError("release must be a name without / and <, got {found}", found=repr(manifest["release"]))
    if not 0 < manifest["unlisted_weight"] < 1:
        raise ReleaseError("unlisted_weight must lie between 0 and 1, got {found}", found=manifest["unlisted_weight"])
    for name, value in manifest["rules"].items():
        if not _is(value, float):
            raise ReleaseError("rules.{name} must be a number, got {found}", name=name, found=str(value)[:80])
        if name.endswith(("_p", "_low")) and not 0 <= value <= 1:
            raise ReleaseError("rules.{name} must lie in 0 to 1, got {found}", name=name, found=value)
    for row in manifest["error_rates"]:
        for name in ("true_declarations_queried", "false_declarations_accepted", "declarants_who_try"):
            if name in row:
                _require(f"error_rates.{name}", row[name], RATE)
    for band in manifest["verbal_scale"]["bands"]:
        limit = band.get("to_lr", 0)
        if limit is not None and (not _is(limit, float) or limit < 1):
            raise ReleaseError("verbal_scale.bands: to_lr must be 1 or more, or null in the last band")
    _read_parts(manifest)


def _read_parts(manifest: Mapping[str, Any]) -> None:
    scheme = _built("scheme", lambda: Scheme.from_json(manifest["scheme"]))
    table = _built("zone_table", lambda: ZoneTable.from_json(manifest["zone_table"]))
    texts = [scheme.size.name, scheme.size.column, *(zone.name for zone in table.zones)]
    for item in scheme.categorical:
        names = item.class_names
        texts += [item.name, item.column, *names]
        if len(names) < 2 or len(set(names)) < len(names):
            raise ReleaseError(
                "scheme: attribute {set} needs two classes or more, each with its own name", set=repr(item.name)
            )
    zones = [zone.zone_id for zone in table.zones]
    modelled = manifest["zone_ids"]
    if any(not isinstance(text, str) or not text.strip() or not text.isprintable() for text in [*texts, *zones]):
        raise ReleaseError("scheme and zone_table must have names that can be printed")
    if len(set(zones)) < len(zones) or len(set(modelled)) < len(modelled) or not modelled:
        raise ReleaseError("zone_table and zone_ids must name zones, and each of them once")
    unknown = [zone for zone in modelled if zone not in set(zones)]
    if unknown:
        raise ReleaseError("zone_ids names {unknown}, which zone_table does not know", unknown=repr(unknown[0]))
    if len(manifest["level_names"]) < 1 or any(len(set(names)) != len(names) for names in manifest["level_names"]):
        raise ReleaseError("level_names must have a list of names for each condition, and each name once")


def _built(name: str, build: Callable[[], Any]) -> Any:
    try:
        return build()
    except (KPFootprintError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        said = Said(said_of(error))
        reason = said.each(_short) if said.values else Said(said[:200])
        raise ReleaseError("{name} cannot be read: {reason}", name=name, reason=reason) from None


_MUST = "{where} must be {wanted}, got {found}"
_KINDS = {
    str: Said("a text"),
    bool: Said("true or false"),
    int: Said("a whole number"),
    float: Said("a number"),
    dict: Said("an object"),
}


def _require(place: str, value: Any, kind: Any) -> None:
    """Refuse a value, at its place, that is not of a kind."""
    where = place or Said("the manifest")
    if isinstance(kind, dict):
        if not isinstance(value, dict):
            raise ReleaseError(_MUST, where=where, wanted=_KINDS[dict], found=_short(value))
        for name, inner in dict.fromkeys(value, kind[...]).items() if ... in kind else kind.items():
            if name not in value:
                raise ReleaseError("{where} has no {name}", where=where, name=repr(name))
            _require(f"{place}.{name}".lstrip("."), value[name], inner)
    elif isinstance(kind, list | tuple):
        least = Said("a list") if isinstance(kind, tuple) else Said("a list with one item or more")
        if not isinstance(value, list) or (isinstance(kind, list) and not value):
            raise ReleaseError(_MUST, where=where, wanted=least, found=_short(value))
        for position, item in enumerate(value):
            _require(f"{place}[{position}]", item, kind[0])
    elif not _is(value, kind):
        raise ReleaseError(_MUST, where=where, wanted=_KINDS[kind], found=_short(value))


def _is(value: Any, kind: type) -> bool:
    if kind is float:
        return is_number(value)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53
    return isinstance(value, kind)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"
