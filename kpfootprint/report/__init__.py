"""Reports: one content, and text, HTML and PDF renderings of it in English and French."""

from kpfootprint.report.content import build_report
from kpfootprint.report.html import render_html
from kpfootprint.report.model_card import ModelCard, ReferenceCard, ZoneCard
from kpfootprint.report.report import Report, read_report
from kpfootprint.report.text import render_text

__all__ = [
    "ModelCard",
    "ReferenceCard",
    "Report",
    "ZoneCard",
    "build_report",
    "read_report",
    "render_html",
    "render_text",
]
