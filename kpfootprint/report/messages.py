"""English texts that are said by a code, from ``catalogues/en.toml``: statements, and the words of the field.

``catalogues/fr.po`` translates them as it does the texts that stand in the code of reports.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

TEXTS: Final[Mapping[str, Mapping[str, Any]]] = tomllib.loads(
    (Path(__file__).parent / "catalogues" / "en.toml").read_text("utf-8")
)
"""Every table of the catalogue, as it stands there."""


TEMPLATES: Mapping[str, str] = {code: text for codes, text in TEXTS["statements"].items() for code in codes.split()}
"""Statements of a comparison by code or ``code.variant``; one text may serve several."""
PLURALS: Mapping[str, tuple[str, str, str]] = TEXTS["counted"]
"""Statements that depend on a count: one, many, and the value that is counted."""
SHARED = ("synthetic_reference", "zone_not_compliant", "no_export_date")
PLANNING: Mapping[str, str] = {**TEXTS["planning"], **{code: TEMPLATES[code] for code in SHARED}}
"""Statements of planning by code or ``code.times``; what is said of a comparison too is said in the same words."""
REMARKS: Mapping[str, str] = TEXTS["remarks"]
"""What a valid reference package leaves in doubt, by code."""

AMOUNTS: Mapping[str, list[tuple[float, str]]] = TEXTS["amounts"]
"""How many stones there are of a class, by observed over expected: the first whose limit is reached."""
PARTS: list[tuple[float, str]] = TEXTS["parts"]["of_a_whole"]
"""A part of a whole in words, by its size: the first whose limit is reached."""

VOCABULARY: Mapping[str, str] = TEXTS["vocabulary"]
"""Words of the field by code."""
CONCLUSIONS: Mapping[str, str] = TEXTS["conclusions"]
"""Conclusions as headings; ``undeclared`` where nothing was declared."""
