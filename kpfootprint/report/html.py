"""A report as one HTML file: no outside request, no script, for screen, print and screen reader."""

from __future__ import annotations

from functools import lru_cache, partial
from pathlib import Path

from jinja2 import BaseLoader, Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from kpfootprint.report.blocks import Document
from kpfootprint.report.glossary import Linker
from kpfootprint.report.locale import mark
from kpfootprint.report.report import Report
from kpfootprint.report.whole import Stationery, lay_out

TEMPLATES = Path(__file__).parent / "templates"


def render_html(
    report: Report, lang: str = "en", *, stationery: Stationery | None = None, above: str = "", style: str = ""
) -> str:
    """Render a report as a single HTML file.

    Parameters
    ----------
    lang : str
        A language tag; English stands in for a language there is no catalogue of.
    stationery : Stationery or None
        What the office that prints it puts above and below.
    above, style : str
        HTML that a site sets above the report, after the link that skips to it, and CSS for that; taken as they are.

    Examples
    --------
    >>> from pathlib import Path
    >>> import kpfootprint
    >>> report = kpfootprint.read_report(Path("tests/golden/examples/true.json").read_bytes())
    >>> "<html lang=" in kpfootprint.render_html(report, "fr")
    True
    """
    return render_document(lay_out(report, lang, stationery), above=above, style=style)


def render_document(document: Document, *, above: str = "", style: str = "") -> str:
    """Render a laid-out document as a single HTML file."""
    link = partial(_linked, Linker(document.glossary))
    labels = {name: document.words.text(text) for name, text in _LABELS.items()}
    return template("report.html").render(
        document=document,
        link=link,
        kind=lambda block: type(block).__name__.lower(),
        above=Markup(above),
        style=Markup(style),
        **labels,
    )


_LABELS = {
    "skip": mark("Skip to the report"),
    "data_label": mark("The figures behind this picture"),
    "sections_label": mark("Sections"),
}
"""Words of the page itself."""


@lru_cache(maxsize=8)
def template(name: str) -> Template:
    """Return a compiled template of this package."""
    environment = escaping(FileSystemLoader(TEMPLATES))
    environment.filters["picture"] = Markup  # `pictures.svg` has escaped every text in it
    return environment.get_template(name)


def escaping(loader: BaseLoader) -> Environment:
    """Return an environment of templates that escape everything they show, and show nothing that they are not given."""
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def _linked(linker: Linker, text: str, section: str) -> Markup:
    """Escape running text and link its terms."""
    parts = [
        escape(piece) if key is None else Markup('<a class="term" href="#g-{}">{}</a>').format(key, piece)
        for piece, key in linker.runs(text, section)
    ]
    return Markup("").join(parts)
