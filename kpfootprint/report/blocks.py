"""A report laid out in one language: sections of blocks. Text, HTML and PDF draw these and add no words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """A paragraph; `tone` is ``plain``, ``lead`` (large) or ``note`` (small)."""

    text: str
    tone: Literal["plain", "lead", "note"] = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bullets:
    """A list; `title` stands above it, `tone` ``caution`` sets it off from the rest."""

    items: tuple[str, ...]
    title: str = ""
    tone: Literal["plain", "caution"] = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Names and what they are: rows of (name, value)."""

    rows: tuple[tuple[str, str], ...]
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table with a caption; the first column heads its row, `numeric` says which columns hold numbers."""

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]
    wide: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A picture: title, text for those who do not see it, the figures behind it; `wide` ones span the page."""

    key: str
    title: str
    alt: str
    svg: str
    data: Table
    wide: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The conclusion: `kind` is the conclusion's code (or ``undeclared``), which picks its mark and colour."""

    kind: str
    heading: str
    text: str


Block = Paragraph | Bullets | Facts | Table | Figure | Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the report under a heading."""

    key: str
    heading: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A term of the glossary, the forms it takes in running text, and what it means."""

    key: str
    term: str
    forms: tuple[str, ...]
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A whole report in one language, with the words of the page itself (`skip`, `data_label`, `sections_label`)."""

    lang: str
    title: str
    subtitle: str
    report_id: str
    created_at: str
    foot: str
    sections: tuple[Section, ...]
    glossary_heading: str
    glossary: tuple[Term, ...] = field(default=())
    skip: str = ""
    data_label: str = ""
    sections_label: str = ""
