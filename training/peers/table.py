"""``docs/peers.md``: every method beside every other, losing cells included."""

from __future__ import annotations

from collections.abc import Sequence

from training.record import Evaluation, NoveltyCell, Result

COLUMNS: tuple[tuple[str, str, str], ...] = (
    ("AUC", "as collected", "AUC"),
    ("Cllr", "as collected", "Cllr"),
    ("Cllr_min", "as collected", "Cllr_min"),
    ("true rejected at 5 % false", "as collected", "true rejected at 5 % false"),
    ("true with LR < 1/10", "as collected", "true, LR < 1/10"),
    ("false with LR > 10", "as collected", "false, LR > 10"),
    ("best zone right", "as collected", "best zone right"),
    ("AUC", "size range missing", "size range missing: AUC"),
    ("Cllr", "size range missing", "size range missing: Cllr"),
    ("Cllr", "high-graded", "high-graded: Cllr"),
    ("Cllr", "10 % of classes confused", "10 % of classes confused: Cllr"),
    ("Cllr", "100 stones of each", "100 stones: Cllr"),
    ("Cllr", "10% of reference labels wrong", "10 % of reference labels wrong: Cllr"),
    ("Cllr", "10 reference parcels a zone", "10 reference parcels a zone: Cllr"),
    ("Cllr", "3 reference parcels a zone", "3 reference parcels a zone: Cllr"),
    ("LR > 10 from nowhere", "zone left out, every declaration", "zone left out: LR > 10"),
    ("LR > 10 from nowhere", "zone left out, best declaration", "zone left out, best declaration: LR > 10"),
)
NOVELTY = (
    ("zone left out", "zone left out, flagged"),
    ("known zone", "known zone, flagged"),
    ("known zone, size range missing", "known zone, sizes missing, flagged"),
)

INTRODUCTION = """# The usual methods beside this one

Every method learns from the same folds of the reference package, is tried on the same trials, and its scores go
through the same calibrator and the same bounds. H1: a parcel of a compliant zone, declared as that zone. H2: a parcel
of a zone that was not compliant on the export date, declared as each of the compliant zones. Export days were drawn,
one from each stretch of time with its own set of compliant zones ({days}).
Parcels that the robust fit takes to carry the wrong zone are learnt from, but neither calibrated by nor counted. Zones
weigh the same; in brackets the 90 % interval from a bootstrap over parcels. Classes confused, size range missing and
the like are done to the tested parcels alone; calibration is by parcels as collected. Bold: the best of a column,
whosever it is.

Reference package: {reference}; {parcels} parcels. {synthetic}
"""


SIMULATED = """A world drawn around the reference package, its parcels Dirichlet-multinomial: 20 parcels of each
zone to learn from, 30 fresh ones to test on. The oracle knows the world, so nothing can beat it beyond chance; the rest
of the way to it is what more reference parcels, or a better method, could gain there.
"""


def render_peers(
    verification: Sequence[Evaluation],
    mixing: Sequence[Evaluation],
    simulated: Sequence[Evaluation] = (),
    *,
    n_parcels: int,
    days: Sequence[str],
    synthetic: bool,
) -> str:
    """Return the page in Markdown.

    Parameters
    ----------
    verification, mixing, simulated : sequence of Evaluation
        One for each method, in the order of the rows; `release` is the method's name. `simulated` ends with the
        oracle.
    """
    reference = verification[0].reference
    intro = INTRODUCTION.format(
        days=", ".join(days),
        reference=f"{reference['name']} {reference['version']} (sha256 {str(reference['sha256'])[:12]})",
        parcels=n_parcels,
        synthetic="The parcels are synthetic: a world invented to try methods on." if synthetic else "",
    )
    parts = [intro, "## Verification\n", _by_column(verification, COLUMNS)]
    later = sorted({r.conditions for e in verification for r in e.results if r.characteristic == "generalisation"})
    for conditions in later:
        parts += [
            f"## Learnt from earlier parcels, tested on those {conditions}\n",
            _conditions(verification, conditions),
        ]
    parts += ["## Novelty\n", _novelty(verification)]
    if mixing:
        parts += ["## Undeclared share\n", _mixing(mixing)]
    if simulated:
        parts += ["## Beside the limit, in a simulated world\n", SIMULATED, _conditions(simulated, "simulated world")]
    return "\n".join(parts)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _number(value: float) -> str:
    text = f"{value:.3f}"
    return text[1:] if text.startswith("0.") else text


def _cells(found: Sequence[Result | None], *, higher_is_better: bool) -> list[str]:
    values = [r.value for r in found if r is not None and r.value is not None]
    best = (max(values) if higher_is_better else min(values)) if values else None
    texts = []
    for r in found:
        if r is None or r.value is None:
            texts.append("–")
            continue
        text = _number(r.value)
        text = f"**{text}**" if best is not None and text == _number(best) else text
        limits = f" ({_number(r.low)}–{_number(r.high)})" if r.low is not None and r.high is not None else ""
        texts.append(text + limits)
    return texts


def _by_column(evaluations: Sequence[Evaluation], columns: Sequence[tuple[str, str, str]]) -> str:
    header, body = ["method"], [[e.release] for e in evaluations]
    for metric, conditions, title in columns:
        found = [e.result(metric, conditions) for e in evaluations]
        if not any(found):
            continue
        header.append(title)
        better = metric in ("AUC", "best zone right") or metric.endswith(("covers", "found"))
        for row, text in zip(body, _cells(found, higher_is_better=better), strict=True):
            row.append(text)
    return _table(header, body)


def _conditions(evaluations: Sequence[Evaluation], conditions: str) -> str:
    names = ("AUC", "Cllr", "Cllr_min", "true rejected at 5 % false", "false with LR > 10")
    return _by_column(evaluations, [(name, conditions, name) for name in names])


def _novelty(evaluations: Sequence[Evaluation]) -> str:
    def share(cell: NoveltyCell | None) -> str:
        return "–" if cell is None else f"{_number(cell.flagged / cell.trials)} ({cell.flagged} of {cell.trials})"

    rows = []
    for e in evaluations:
        cells = {cell.kind: cell for cell in e.novelty}
        rows.append([e.release, *(share(cells.get(kind)) for kind, _ in NOVELTY)])
    note = "\nFlagged: p of 0.05 or less. – : the method only compares zones, and cannot say that none of them fits.\n"
    return _table(["method", *(title for _, title in NOVELTY)], rows) + note


def _mixing(evaluations: Sequence[Evaluation]) -> str:
    names = list(dict.fromkeys(r.metric for e in evaluations for r in e.results if r.characteristic == "mixture"))
    note = (
        "\nVirtual mixtures of two parcels that the method did not learn from. An interval that holds the true share"
        " too seldom makes its power meaningless: read power beside the false alarm.\n"
    )
    return _by_column(evaluations, [(name, "virtual mixtures", name) for name in names]) + note
