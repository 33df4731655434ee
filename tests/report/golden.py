"""Golden files: what a report looked like when a person last approved it. Only ``--update-golden`` writes one."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

GOLDEN = Path(__file__).parents[1] / "golden"
LINE = 120
"""Characters that a member of a readable JSON may take before it is broken over several lines."""


def check_golden(name: str, text: str, update: bool) -> None:
    """Compare a text with a golden file, or write it; a missing file fails."""
    path = GOLDEN / name
    if update:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return
    if not path.exists():
        pytest.fail(f"there is no golden file {name}; look at the report, then write it with --update-golden")
    assert text == path.read_text(encoding="utf-8"), f"{name} differs; a changed number needs a line in CHANGELOG.md"


def readable_json(text: str) -> str:
    """Return a report's JSON with a member a line where it fits one, so that a difference can be read."""
    return _lines(json.loads(text), "") + "\n"


def _lines(value: Any, indent: str) -> str:
    flat = json.dumps(value, sort_keys=True, ensure_ascii=False)
    if len(indent) + len(flat) <= LINE or not isinstance(value, dict | list):
        return flat
    inner = indent + " "
    if isinstance(value, dict):
        parts = [f"{json.dumps(name, ensure_ascii=False)}: {_lines(value[name], inner)}" for name in sorted(value)]
        return "{\n" + ",\n".join(inner + part for part in parts) + "\n" + indent + "}"
    if all(isinstance(item, list) for item in value):  # points: as many a line as there is room for
        return "[\n" + _filled([json.dumps(item) for item in value], inner) + "\n" + indent + "]"
    return "[\n" + ",\n".join(inner + _lines(item, inner) for item in value) + "\n" + indent + "]"


def _filled(pieces: list[str], indent: str) -> str:
    lines, line = [], indent
    for piece in pieces:
        if len(line) + len(piece) > LINE and line.strip():
            lines.append(line.rstrip())
            line = indent
        line += piece + ", "
    return "\n".join([*lines, line.rstrip(", ")])


def normalised_html(html: str) -> str:
    """Return a page without its stylesheet and its pictures, a tag or a text a line, blanks folded."""
    html = re.sub(r"<style>.*?</style>", "<style/>", html, flags=re.DOTALL)
    html = re.sub(r"<svg.*?</svg>", "<svg/>", html, flags=re.DOTALL)
    pieces = re.split(r"(<[^>]+>)", html)
    lines = (" ".join(piece.split()) for piece in pieces)
    return "\n".join(line for line in lines if line) + "\n"
