"""Golden files: what a report looked like when a person last approved it. Only ``--update-golden`` writes one."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parents[1] / "golden"


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
    """Return a report's JSON over many lines, so that a difference can be read."""
    return json.dumps(json.loads(text), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def normalised_html(html: str) -> str:
    """Return a page without its stylesheet, a tag or a text a line, blanks folded."""
    html = re.sub(r"<style>.*?</style>", "<style/>", html, flags=re.DOTALL)
    pieces = re.split(r"(<[^>]+>)", html)
    lines = (" ".join(piece.split()) for piece in pieces)
    return "\n".join(line for line in lines if line) + "\n"
