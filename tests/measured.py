"""The table of what was measured of a release, as it stands in ``docs/method.md``."""

from __future__ import annotations

from training.record import Evaluation

ROWS: tuple[tuple[str, str, str], ...] = (
    (
        "open world: LR > 10 for a declaration of a parcel whose zone was left out of the reference",
        "LR > 10 from nowhere",
        "zone left out, every declaration",
    ),
    ("the same, for the compliant zone it resembles most", "LR > 10 from nowhere", "zone left out, best declaration"),
    ("LR > 10 for simulated parcels from unlisted sources, far", "LR > 10 from nowhere", "simulated, far"),
    ("the same, near a listed zone", "LR > 10 from nowhere", "simulated, near"),
    ("AUC", "AUC", "as collected"),
    ("Cllr", "Cllr", "as collected"),
    ("true declarations rejected where 5 % of false ones are accepted", "true rejected at 5 % false", "as collected"),
    ("true declarations with LR < 1/10", "true with LR < 1/10", "as collected"),
    ("false declarations with LR > 10", "false with LR > 10", "as collected"),
    ("part of the sizes missing: AUC", "AUC", "size range missing"),
    ("part of the sizes missing: Cllr", "Cllr", "size range missing"),
    ("large stones picked out: Cllr", "Cllr", "high-graded"),
    ("10 % of classes confused: Cllr", "Cllr", "10 % of classes confused"),
    ("100 stones of each parcel: Cllr", "Cllr", "100 stones of each"),
    ("10 reference parcels a zone: Cllr", "Cllr", "10 reference parcels a zone"),
    ("5 reference parcels a zone: Cllr", "Cllr", "5 reference parcels a zone"),
    ("3 reference parcels a zone: Cllr", "Cllr", "3 reference parcels a zone"),
    ("10, the spread of parcels known from elsewhere: Cllr", "Cllr", "10 reference parcels a zone, spread known"),
    ("5, likewise: Cllr", "Cllr", "5 reference parcels a zone, spread known"),
    ("3, likewise: Cllr", "Cllr", "3 reference parcels a zone, spread known"),
    ("10 % of reference labels wrong: Cllr", "Cllr", "10% of reference labels wrong"),
    ("weights of evidence chosen anew in each fold: Cllr", "Cllr", "chosen anew in each fold"),
    ("explicit model alone: Cllr", "Cllr", "explicit model alone"),
    ("tables alone: Cllr", "Cllr", "tables alone"),
    ("most probable zone is the right one", "best zone right", "as collected"),
    ("the 90 % set of zones holds the right one", "90% set holds the zone", "as collected"),
    ("the same, 150 stones of each parcel", "90% set holds the zone", "150 stones of each"),
    ("the same, 60 stones of each parcel", "90% set holds the zone", "60 stones of each"),
    ("zones in that set, on average", "zones in the 90% set", "as collected"),
    ("true blends with LR < 1/10", "LR < 1/10", "true blends"),
    ("undeclared goods found in true blends", "undeclared goods found (p of 0.05 or less)", "true blends"),
    ("undeclared goods found in true declarations", "undeclared goods found in true declarations", "as collected"),
    (
        "share of undeclared goods said to be above 0 where another compliant zone is declared",
        "undeclared share above 0",
        "another compliant zone declared",
    ),
    ("undeclared goods found in unmixed parts of parcels", "false alarm on unmixed parcels", "virtual mixtures"),
    ("share of 10 % found", "share of 10% found", "virtual mixtures"),
    ("share of 20 % found", "share of 20% found", "virtual mixtures"),
    ("share of 30 % found", "share of 30% found", "virtual mixtures"),
    ("share of 50 % found", "share of 50% found", "virtual mixtures"),
    ("90 % interval of the share covers", "90% interval covers", "virtual mixtures"),
    ("mean error of the share", "mean error of the share", "virtual mixtures"),
    ("known zones flagged as novel", "flagged as novel", "known zone"),
    ("known zones, sizes missing, flagged as novel", "flagged as novel", "known zone, size range missing"),
    ("zones left out flagged as novel", "flagged as novel", "zone left out"),
    ("simulated parcels from far sources flagged", "flagged as novel", "simulated, far"),
    ("the same, near a listed zone", "flagged as novel", "simulated, near"),
    ("true declarations queried", "true declarations queried", "as collected"),
    ("false declarations called consistent", "false declarations called consistent", "as collected"),
)
"""What a line says, and the metric and conditions in ``evaluation.json`` that it quotes."""


def measured_table(evaluation: Evaluation) -> str:
    """Return the table in Markdown; what was not measured has a dash."""
    lines = ["| what | measured |", "|---|---|"]
    for text, metric, conditions in ROWS:
        found = evaluation.result(metric, conditions)
        if found is None or found.value is None:
            value = "–"
        else:
            value = f"{found.value:.3f}"
            if found.low is not None and found.high is not None:
                value += f" ({found.low:.3f} to {found.high:.3f})"
        lines.append(f"| {text} | {value} |")
    return "\n".join(lines) + "\n"
