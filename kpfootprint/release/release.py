"""A release in memory: what its manifest must say, loaded, written, and the one that comes with the software."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from kpfootprint.conclusions import BEFORE, Rules
from kpfootprint.errors import KPFootprintError, ReleaseError
from kpfootprint.parcel import FACTORS, Conditions
from kpfootprint.reference import COMPLIANT, ZoneTable
from kpfootprint.release.arrays import check_model, pack, unpack
from kpfootprint.release.files import ARRAYS, MANIFEST, plain_arrays, read_files
from kpfootprint.retold import Said, said_of
from kpfootprint.scheme import Scheme
from kpfootprint.stats.arrays import Bools
from kpfootprint.stats.model import FootprintModel
from kpfootprint.strict_json import is_number
from kpfootprint.visible import is_visible

RATE = {"rate": float, "low": float, "high": float, "errors": int, "trials": int}
MEMBERS: Mapping[str, Any] = {
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
    _require("", manifest, MEMBERS)
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


OLDEST, FORMAT = 2, 9
READABLE = tuple(range(OLDEST, FORMAT + 1))
"""Formats that can be read; each brought one thing that the one before lacks. Format 2 has no tables: its evidence is
the explicit model's alone. Formats 2 and 3 have no test of goods of their own: undeclared goods under the best
declaration are looked for by the share network. Up to format 4 the offset of the calibration counts whole, however
little a parcel tells sources apart. Up to format 5 the interval of undeclared goods begins above 0 without asking
that test. Up to format 6 one posterior is the threshold of the set of zones at every size, and novelty is a distance
by the explicit model alone. Up to format 7 all parcels that are not flagged carry strong support, however far from
every source. Up to format 8 tables and explicit model are averaged for an unlisted source as for listed ones."""
CARD = "CARD.md"


@dataclass(frozen=True)
class Release:
    """A loaded release.

    Parameters
    ----------
    manifest : mapping
        What ``manifest.json`` says: name, versions, seeds, hashes of data, scheme, zones, rules, error rates.
    manifest_sha256 : str
        Hash of the manifest, which holds the hashes of all other files: it names the release exactly.
    model : FootprintModel
        The trained model.
    card : str
        Text of ``CARD.md``.

    Examples
    --------
    >>> import kpfootprint
    >>> release = kpfootprint.load_release(kpfootprint.shipped_release())
    >>> release.released, release.scheme.attribute_names
    (True, ('size', 'colour', 'morphology'))
    """

    manifest: Mapping[str, Any]
    manifest_sha256: str
    model: FootprintModel
    card: str

    @property
    def name(self) -> str:
        """Name of the release, such as ``2026.1``."""
        return str(self.manifest["release"])

    @property
    def released(self) -> bool:
        """Whether the release was judged; False for a folder fresh from ``fit``."""
        return bool(self.manifest["released"])

    @cached_property
    def scheme(self) -> Scheme:
        """Attributes, classes and sieve sets."""
        return Scheme.from_json(self.manifest["scheme"])

    @cached_property
    def zone_table(self) -> ZoneTable:
        """Zones and their dated status."""
        return ZoneTable.from_json(self.manifest["zone_table"])

    @property
    def zone_ids(self) -> tuple[str, ...]:
        """Zones with reference parcels, in the order of the model's arrays."""
        return tuple(self.manifest["zone_ids"])

    def compliant_on(self, day: date) -> Bools:
        """Return which of `zone_ids` (Z,) were compliant on a day."""
        return np.array([self.zone_table.status_on(zone, day) == COMPLIANT for zone in self.zone_ids])

    @property
    def level_names(self) -> tuple[tuple[str, ...], ...]:
        """Known levels of each condition."""
        return tuple(tuple(names) for names in self.manifest["level_names"])

    def open_conditions(self, conditions: Conditions) -> tuple[str, ...]:
        """Return the conditions that are not known of a parcel, but for those that no reference parcel recorded."""
        never = {factor for factor, names in zip(FACTORS, self.level_names, strict=True) if not names}
        return tuple(name for name in conditions.blank if name not in never)

    @property
    def unlisted_weight(self) -> float:
        """Weight of an unlisted source in H2."""
        return float(self.manifest["unlisted_weight"])

    @cached_property
    def rules(self) -> Rules:
        """Thresholds of the conclusion."""
        return Rules.from_json(self.manifest["rules"])


def shipped_release() -> Path:
    """Return the release that comes with the software, from the wheel or the source tree.

    It is the one that ``models/shipped`` names, so that a further folder beside it puts nothing in force.

    Raises
    ------
    ReleaseError
        If there is none.

    Examples
    --------
    >>> (shipped_release() / "manifest.json").is_file()
    True
    """
    inside = Path(__file__).parents[1] / "_models"
    folder = inside if inside.is_dir() else Path(__file__).parents[2] / "models"
    named = folder / "shipped"
    chosen = folder / (named.read_text(encoding="utf-8").strip() if named.is_file() else "shipped")
    if not (chosen / MANIFEST).is_file():
        raise ReleaseError("no release in {folder}; make one with: python -m training fit", folder=folder)
    return chosen


def load_release(folder: Path) -> Release:
    """Load a release after every file's SHA-256 agrees with the manifest, and everything in it with everything else.

    Raises
    ------
    ReleaseError
        If a file is missing, altered, not in the manifest, or made for another version; or if manifest and arrays are
        not those of one usable model.

    Examples
    --------
    >>> import kpfootprint
    >>> kpfootprint.load_release(kpfootprint.shipped_release()).name == kpfootprint.shipped_release().name
    True
    """
    sha256, manifest, content = read_files(folder, READABLE)
    try:
        check_manifest(manifest)
        release = Release(
            manifest=manifest,
            manifest_sha256=sha256,
            model=unpack(FootprintModel, _with_test_of_all_goods(plain_arrays(content[ARRAYS]))),
            card=content.get(CARD, b"").decode(),
        )
        made_as = format_of(release.model, manifest["rules"])
        if manifest["format"] != made_as:
            raise ReleaseError(
                "its contents are those of format {made_as}, not of {said}",
                made_as=str(made_as),
                said=str(manifest["format"]),
            )
        levels = tuple(len(names) for names in release.level_names)
        check_model(release.model, release.scheme, len(release.zone_ids), levels)
    except ReleaseError as error:
        raise ReleaseError("{what} cannot be used: {error}", what=folder, error=error) from None
    except UnicodeDecodeError:
        raise ReleaseError("{folder} cannot be used: {file} is no UTF-8 text", folder=folder, file=CARD) from None
    return release


def format_of(model: FootprintModel, rules: Mapping[str, float]) -> int:
    """Return the oldest format that holds a model and what its manifest has for rules."""
    came = (
        *(model.tables, model.goods, model.calibration.offset_spread, model.shares.goods_p),
        *(model.sets and model.novelty_weight, rules.get("strong_novelty_p"), model.tables and model.tables.vote),
    )
    return next((before for before, part in enumerate(came, OLDEST) if part is None), FORMAT)


def _with_test_of_all_goods(arrays: dict[str, Any]) -> dict[str, Any]:
    """Return the arrays with the test of goods as declared, which was the test of undeclared goods up to 2026.2."""
    older = {name.replace(".none", ".as_declared", 1): array for name, array in arrays.items() if ".none" in name}
    return older | arrays


def write_release(folder: Path, manifest: Mapping[str, Any], model: FootprintModel, texts: Mapping[str, str]) -> None:
    """Write a release folder: arrays, texts (``evaluation.json``, ``CARD.md``), and the manifest with their hashes."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        if path.is_file():
            path.unlink()
    buffer = io.BytesIO()
    arrays: dict[str, Any] = pack(model)
    np.savez_compressed(buffer, **arrays)
    content = {ARRAYS: buffer.getvalue()} | {name: text.encode() for name, text in texts.items()}
    for name, data in content.items():
        (folder / name).write_bytes(data)
    files = {name: hashlib.sha256(data).hexdigest() for name, data in sorted(content.items())}
    document = {**manifest, "format": format_of(model, manifest["rules"]), "files": files}
    (folder / MANIFEST).write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
