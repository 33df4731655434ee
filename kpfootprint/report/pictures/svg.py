"""A small canvas for SVG: shapes told apart by form as well as by colour, colours that a page may turn dark."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import floor, log10
from unicodedata import east_asian_width

PAINT = {
    "ink": "#1b1b1b",
    "muted": "#595959",
    "grid": "#c9c9c9",
    "band": "#d5e4f1",
    "edge": "#5c83a3",
    "seen": "#0b4f8a",
    "odd": "#a83f00",
    "paper": "#ffffff",
}
"""Paints by name, written as an attribute and as a class (``f-ink``, ``s-ink``), which a stylesheet overrides."""

FONT = "system-ui, 'Segoe UI', 'Libertinus Serif', sans-serif"


SHORTEST = 6
"""Characters that no text is cut below."""


def num(value: float) -> str:
    """Return a coordinate with two decimals at most."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


NARROW = frozenset("iljtfrI.,:;'|!()[]- \u00a0\u2026/")
"""Characters about half as wide as others."""


def width_of(text: str, size: float, bold: bool = False) -> float:
    """Return about how wide a text is, in units of its picture; fonts differ."""
    wide = {"W": 1.0, "F": 1.0}
    ems = sum(0.3 if c in NARROW else wide.get(east_asian_width(c), 0.68 if c.isupper() else 0.58) for c in text)
    return ems * size * (1.08 if bold else 1.0)


def fitting(text: str, room: float, size: float, bold: bool = False) -> str:
    """Return a text that fits, with its middle left out: long names differ at their ends as often as in front."""
    if len(text) < SHORTEST or width_of(text, size, bold) <= room:
        return text
    kept = len(text) - 1
    while kept > SHORTEST and width_of(text[: kept - kept // 3] + "\u2026" + text[-(kept // 3) :], size, bold) > room:
        kept -= 1
    return text[: kept - kept // 3] + "\u2026" + text[-(kept // 3) :]


class Canvas:
    """Collects SVG elements; y grows downwards, lengths are in user units of the view box."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self._parts: list[str] = []

    def rect(self, x: float, y: float, width: float, height: float, fill: str = "band", stroke: str = "edge") -> None:
        """Draw a box; its edge is dashed where it is a band."""
        dash = ' stroke-dasharray="3 2"' if stroke == "edge" else ""
        line = f' class="f-{fill} s-{stroke}" stroke="{PAINT[stroke]}"{dash}' if stroke else f' class="f-{fill}"'
        self._parts.append(
            f'<rect x="{num(x)}" y="{num(y)}" width="{num(max(width, 0.5))}" height="{num(max(height, 0.5))}"'
            f' fill="{PAINT[fill]}"{line}/>'
        )

    def line(
        self, points: Sequence[tuple[float, float]], stroke: str = "ink", width: float = 1, dash: str = ""
    ) -> None:
        """Draw a line through points."""
        path = " ".join(f"{num(x)},{num(y)}" for x, y in points)
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        self._parts.append(
            f'<polyline points="{path}" fill="none" class="s-{stroke}" stroke="{PAINT[stroke]}"'
            f' stroke-width="{num(width)}"{dashed}/>'
        )

    def area(self, points: Sequence[tuple[float, float]]) -> None:
        """Fill a band between points."""
        path = " ".join(f"{num(x)},{num(y)}" for x, y in points)
        self._parts.append(
            f'<polygon points="{path}" class="f-band s-edge" fill="{PAINT["band"]}" stroke="{PAINT["edge"]}"'
            ' stroke-dasharray="3 2"/>'
        )

    def hatch(self, x: float, y: float, width: float, height: float, step: float = 7) -> None:
        """Hatch a box with slanted lines: out of reach."""
        start = x - height
        while start < x + width:
            left, right = max(start, x), min(start + height, x + width)
            if right > left:
                self.line([(left, y + height - (left - start)), (right, y + height - (right - start))], "muted", 0.7)
            start += step

    def dot(self, x: float, y: float, shape: str = "circle", paint: str = "seen", size: float = 4) -> None:
        """Draw a mark: circle, ring, diamond, triangle, square, cross or star."""
        filled = f'class="f-{paint} s-{paint}" fill="{PAINT[paint]}" stroke="{PAINT[paint]}"'
        hollow = f'class="f-paper s-{paint}" fill="{PAINT["paper"]}" stroke="{PAINT[paint]}" stroke-width="1.2"'
        if shape in ("circle", "ring"):
            style = filled if shape == "circle" else hollow
            self._parts.append(f'<circle cx="{num(x)}" cy="{num(y)}" r="{num(size)}" {style}/>')
            return
        corners = [(x + size * dx, y + size * dy) for dx, dy in _SHAPES[shape.removeprefix("hollow-")]]
        points = " ".join(f"{num(px)},{num(py)}" for px, py in corners)
        style = hollow if shape.startswith("hollow-") else filled
        self._parts.append(f'<polygon points="{points}" {style}/>')

    def text(
        self,
        x: float,
        y: float,
        text: str,
        anchor: str = "start",
        paint: str = "ink",
        size: float = 12,
        bold: bool = False,
    ) -> None:
        """Write a text that stays in the picture; `y` is its base line."""
        room = {"start": self.width - x, "end": x}.get(anchor, 2 * min(x, self.width - x))
        text = fitting(text, room, size, bold)
        weight = ' font-weight="bold"' if bold else ""
        self._parts.append(
            f'<text x="{num(x)}" y="{num(y)}" text-anchor="{anchor}" font-size="{num(size)}"{weight}'
            f' class="f-{paint}" fill="{PAINT[paint]}">{escape(text)}</text>'
        )

    def svg(self, key: str, title: str, alt: str) -> str:
        """Return the picture with its title and its description; `key` must be unique on the page."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {num(self.width)} {num(self.height)}" role="img"'
            f' aria-labelledby="{key}-t {key}-d" font-family="{FONT}"><title id="{key}-t">{escape(title)}</title>'
            f'<desc id="{key}-d">{escape(alt)}</desc>{"".join(self._parts)}</svg>'
        )


_SHAPES: dict[str, tuple[tuple[float, float], ...]] = {
    "diamond": ((0, -1.25), (1.25, 0), (0, 1.25), (-1.25, 0)),
    "triangle": ((0, -1.2), (1.15, 0.9), (-1.15, 0.9)),
    "square": ((-1, -1), (1, -1), (1, 1), (-1, 1)),
    "star": (
        (0, -1.6), (0.42, -0.52), (1.52, -0.49), (0.67, 0.2), (0.94, 1.3),
        (0, 0.68), (-0.94, 1.3), (-0.67, 0.2), (-1.52, -0.49), (-0.42, -0.52),
    ),
}  # fmt: skip


class Axis:
    """A linear map from values to user units.

    >>> Axis(0, 10, 100, 200)(5)
    150.0
    """

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        self.low, self.high, self.start, self.end = low, high, start, end

    def __call__(self, value: float) -> float:
        """Return where a value lies; values beyond the ends are held at them."""
        inside = min(max(value, self.low), self.high)
        return self.start + (inside - self.low) / ((self.high - self.low) or 1) * (self.end - self.start)


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Return round values between low and high.

    >>> ticks(0, 0.34)
    [0.0, 0.1, 0.2, 0.3]
    """
    span = max(high - low, 1e-9)
    raw = span / about
    power = 10.0 ** floor(log10(raw))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= raw)
    first = -(-low // step)
    values = []
    while first * step <= high + step * 1e-9:
        values.append(round(first * step, 10) + 0.0)
        first += 1
    return values
