"""A QR code: what leads from a report on paper to the one that was kept."""

from __future__ import annotations

import segno

QUIET = 4
"""Modules of white around the code that readers ask for."""


def qr_code(text: str, title: str) -> str:
    """Return a QR code as SVG, dark on white whatever stands around it.

    Parameters
    ----------
    text : str
        What it says to whoever points a camera at it.
    title : str
        What it is, for those who do not see it.
    """
    code = segno.make(text, error="m", micro=False)
    return str(
        code.svg_inline(
            border=QUIET, omitsize=True, dark="#000", light="#fff", title=title, svgclass="qr", lineclass=None
        )
    )
