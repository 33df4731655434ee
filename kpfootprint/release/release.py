"""A release in memory: loaded, written, and the one that comes with the software."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from kpfootprint.conclusions import Rules
from kpfootprint.errors import ReleaseError
from kpfootprint.parcel import FACTORS, Conditions
from kpfootprint.reference import COMPLIANT, ZoneTable
from kpfootprint.release.arrays import check_model
from kpfootprint.release.files import ARRAYS, MANIFEST, plain_arrays, read_files
from kpfootprint.release.manifest import check_manifest
from kpfootprint.release.packing import pack, unpack
from kpfootprint.scheme import Scheme
from kpfootprint.stats.arrays import Bools
from kpfootprint.stats.model import FootprintModel

WITHOUT_TABLES, WITHOUT_GOODS, WITHOUT_SPREAD, WITHOUT_GOODS_P = 2, 3, 4, 5
WITHOUT_SETS, WITHOUT_STRONG_P, WITHOUT_VOTE, FORMAT = 6, 7, 8, 9
READABLE = tuple(range(WITHOUT_TABLES, FORMAT + 1))
"""Formats that can be read. Format 2 has no tables: its evidence is the explicit model's alone. Formats 2 and 3 have no
test of goods of their own: undeclared goods under the best declaration are looked for by the share network. Up to
format 4 the offset of the calibration counts whole, however little a parcel tells sources apart. Up to format 5 the
interval of undeclared goods begins above 0 without asking that test. Up to format 6 one posterior is the threshold of
the set of zones at every size, and novelty is a distance by the explicit model alone. Up to format 7 all
parcels that are not flagged carry strong support, however far from every source. Up to format 8
tables and explicit model are averaged for an unlisted source as for listed ones."""
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
    files = read_files(folder, READABLE)
    try:
        check_manifest(files.manifest)
        release = Release(
            manifest=files.manifest,
            manifest_sha256=files.sha256,
            model=unpack(FootprintModel, _with_test_of_all_goods(plain_arrays(files.content[ARRAYS]))),
            card=files.content.get(CARD, b"").decode(),
        )
        made_as = format_of(release.model, files.manifest["rules"])
        if files.manifest["format"] != made_as:
            raise ReleaseError(
                "its contents are those of format {made_as}, not of {said}",
                made_as=str(made_as),
                said=str(files.manifest["format"]),
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
        (WITHOUT_TABLES, model.tables),
        (WITHOUT_GOODS, model.goods),
        (WITHOUT_SPREAD, model.calibration.offset_spread),
        (WITHOUT_GOODS_P, model.shares.goods_p),
        (WITHOUT_SETS, None if model.sets is None else model.novelty_weight),
        (WITHOUT_STRONG_P, rules.get("strong_novelty_p")),
        (WITHOUT_VOTE, None if model.tables is None else model.tables.vote),
    )
    return next((before for before, part in came if part is None), FORMAT)


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
