"""Make releases: fit, calibrate, evaluate, judge."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def filled(name: str, /, **values: Any) -> str:
    """Return a text of ``templates/`` that is no page, filled with values as they are."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # most commands write nothing

    texts = FileSystemLoader(Path(__file__).with_name("templates"))
    environment = Environment(
        loader=texts, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    return environment.get_template(name).render(**values)
