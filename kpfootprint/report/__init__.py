"""Reports: one content, and text, HTML and PDF renderings of it in English and French."""

from kpfootprint.report.content import build_report
from kpfootprint.report.dossier import DossierCheck, DossierInput, Remade, verify_dossier, write_dossier
from kpfootprint.report.html import render_html
from kpfootprint.report.pdf import render_pdf
from kpfootprint.report.report import Report, read_report
from kpfootprint.report.side_by_side import compare_side_by_side
from kpfootprint.report.text import render_text
from kpfootprint.report.whole import Stationery

__all__ = [
    "DossierCheck",
    "DossierInput",
    "Remade",
    "Report",
    "Stationery",
    "build_report",
    "compare_side_by_side",
    "read_report",
    "render_html",
    "render_pdf",
    "render_text",
    "verify_dossier",
    "write_dossier",
]
