"""A report laid out in one language: sections of blocks. Text, HTML and PDF draw these and add no words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from kpfootprint.report.locale import Words, mark

if TYPE_CHECKING:
    from kpfootprint.report.pictures.svg import Canvas


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
    """A table with a caption. The first column heads its row; `numeric` ones hold numbers, by itself all others."""

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...] = ()

    def __post_init__(self) -> None:
        if not self.numeric:
            object.__setattr__(self, "numeric", (False, *(True for _ in self.header[1:])))

    def filled(self) -> Table:
        """Return the table without columns that hold nothing but dashes."""
        kept = [k for k in range(len(self.header)) if k == 0 or any(row[k] != "\u2013" for row in self.rows)]
        header, *rows = (tuple(row[k] for k in kept) for row in (self.header, *self.rows))
        return replace(self, header=header, rows=tuple(rows), numeric=tuple(self.numeric[k] for k in kept))


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A picture: title, text for those who do not see it, the figures behind it."""

    key: str
    title: str
    alt: str
    canvas: Canvas
    data: Table

    @property
    def svg(self) -> str:
        """The picture as SVG."""
        return self.canvas.svg(self.key, self.title, self.alt)


@dataclass(frozen=True, slots=True, kw_only=True)
class Banner:
    """Something that stands across the page, such as that the reference is synthetic."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The conclusion and, as loud, the status of what was declared.

    `kind` is the conclusion's code (or ``undeclared``, ``doubted``) and picks its mark and colour; `alarm` says that
    something declared was not compliant, whatever the conclusion; `status` is empty where nothing was declared.
    """

    kind: str
    heading: str
    status: str
    alarm: bool
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """Pictures (or a table) with what stands beside them, kept together on a page where there is room."""

    shown: tuple[Figure | Table, ...]
    blocks: tuple[Paragraph | Bullets | Facts | Table, ...]


Block = Paragraph | Bullets | Facts | Table | Figure | Banner | Verdict | Beside


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
    """A whole report in one language.

    `qr` is a QR code of the report, `qr_label` says what it is for. `letterhead` stands above it, `note` and two
    places to sign (`signatures` heads them) after the first section.
    """

    words: Words
    title: str
    subtitle: str
    created_at: str
    foot: str
    sections: tuple[Section, ...]
    report_id: str = ""
    glossary: tuple[Term, ...] = ()
    qr: str = ""
    qr_label: str = ""
    letterhead: str = ""
    note: str = ""
    signatures: tuple[str, ...] = ()

    @property
    def lang(self) -> str:
        """The language's tag."""
        return self.words.lang

    @property
    def glossary_heading(self) -> str:
        """What stands above the glossary."""
        return self.words.text(mark("Glossary"))
