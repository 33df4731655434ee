"""Pictures of the validation report as inline SVG: the same bytes for the same evaluation, no clock, no random ids."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, Literal, ParamSpec

import numpy as np

from kpfootprint.stats.intervals import clopper_pearson
from kpfootprint.stats.metrics import Weights, empirical_cross_entropy, reliability, roc, tippett
from training.record import CoverageCell, DecisionErrors, DetectionCell, NoveltyCell, Trial, stones_between, summed

P = ParamSpec("P")

TRUE, FALSE, THIRD, GREY = "#0072B2", "#D55E00", "#009E73", "#767676"
"""Blue for true declarations, vermilion for false ones: told apart by colour-blind readers, and by line style too."""
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Arial", "sans-serif"],
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e2e2e2",
    "figure.figsize": (5.6, 3.6),
    "figure.constrained_layout.use": True,
}


class Columns:
    """Log10 LRs and weights of trials by hypothesis."""

    def __init__(self, trials: Sequence[Trial]) -> None:
        true = [t for t in trials if t.is_h1]
        false = [t for t in trials if not t.is_h1]
        self.h1 = np.array([t.log10_lr for t in true])
        self.h2 = np.array([t.log10_lr for t in false])
        self.weights: Weights = {
            "weights_h1": np.array([t.weight for t in true]),
            "weights_h2": np.array([t.weight for t in false]),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A plot with its heading and what to look for in it."""

    heading: str
    caption: str
    svg: str


def _picture(
    name: str, heading: str, description: str, caption: str
) -> Callable[[Callable[Concatenate[Any, P], None]], Callable[P, Picture]]:
    """Make a function that draws on axes return the picture; `name` sets its ids apart from others' on a page."""

    def drawing(draw: Callable[Concatenate[Any, P], None]) -> Callable[P, Picture]:
        @wraps(draw)
        def picture(*given: P.args, **more: P.kwargs) -> Picture:
            import matplotlib
            from matplotlib.figure import Figure

            own = name.format(**more)
            with matplotlib.rc_context({**STYLE, "svg.hashsalt": own}):
                figure, buffer = Figure(), io.StringIO()
                draw(figure.subplots(), *given, **more)
                silent = dict.fromkeys(("Date", "Creator", "Format", "Type"))
                figure.savefig(buffer, format="svg", metadata=silent)
            svg = re.sub(r"<metadata>.*?</metadata>", "", buffer.getvalue(), flags=re.DOTALL)
            svg = svg[svg.index("<svg") :]
            for before, after in (
                (r'\bid="', f'id="{own}-'),
                (r"url\(#", f"url(#{own}-"),
                (r'href="#', f'href="#{own}-'),
            ):
                svg = re.sub(before, after, svg)
            svg = svg.replace("<svg ", f'<svg role="img" aria-label="{description.format(**more)}" ', 1)
            return Picture(heading=heading.format(**more), caption=caption, svg=svg)

        return picture

    return drawing


@_picture(
    "tippett",
    "Tippett plot",
    "Tippett plot",
    "The further the curves lie apart, the more the LR tells. True declarations left of 0 and false ones right "
    "of it are misleading evidence.",
)
def tippett_plot(axes: Any, columns: Columns) -> None:
    """Share of true and of false declarations with an LR of at least that much."""
    at, true, false = tippett(columns.h1, columns.h2, **columns.weights)
    axes.step(at, true, where="pre", color=TRUE, label="true declarations")
    axes.step(at, false, where="pre", color=FALSE, linestyle="--", label="false declarations")
    axes.axvline(0, color=GREY, linewidth=0.8)
    axes.set(xlabel="log10 LR", ylabel="share with this log10 LR or more", ylim=(0, 1))
    axes.legend()


@_picture(
    "entropy",
    "Empirical cross-entropy",
    "Empirical cross-entropy over prior odds",
    "What a reader with these prior odds still does not know. Above the dotted line LRs would do harm; the gap "
    "to the dashed line is lack of calibration.",
)
def entropy_plot(axes: Any, columns: Columns) -> None:
    """Empirical cross-entropy over prior odds."""
    odds = np.linspace(-2.5, 2.5, 101)
    curves = empirical_cross_entropy(columns.h1, columns.h2, odds, **columns.weights)
    axes.plot(odds, curves.neutral, color=GREY, linestyle=":", label="saying nothing (LR = 1)")
    axes.plot(odds, curves.observed, color=FALSE, label="LRs as given")
    axes.plot(odds, curves.calibrated, color=TRUE, linestyle="--", label="best monotone recalibration")
    axes.set(xlabel="prior log10 odds of H1", ylabel="empirical cross-entropy (bits)", ylim=(0, None))
    axes.legend()


@_picture(
    "reliability",
    "Reliability",
    "Reliability: LRs as given against recalibrated ones",
    "Where the line is steeper than the diagonal, LRs are too cautious; where flatter, they claim too much.",
)
def reliability_plot(axes: Any, columns: Columns) -> None:
    """LRs as given against LRs recalibrated by pooling adjacent violators."""
    given, recalibrated = reliability(columns.h1, columns.h2, **columns.weights)
    finite = np.isfinite(recalibrated)
    limit = float(np.abs(given).max()) * 1.05 + 0.1
    axes.plot([-limit, limit], [-limit, limit], color=GREY, linestyle=":", label="calibrated without fault")
    axes.plot(given[finite], recalibrated[finite], color=TRUE, label="recalibrated by pooling (PAV)")
    axes.set(xlabel="log10 LR as given", ylabel="log10 LR recalibrated", xlim=(-limit, limit))
    axes.legend()


@_picture(
    "roc",
    "ROC",
    "ROC curve",
    "The dotted line marks 5 % of false declarations accepted.",
)
def roc_plot(axes: Any, columns: Columns) -> None:
    """Shares of true and of false declarations accepted, over all thresholds."""
    false, true = roc(columns.h1, columns.h2, **columns.weights)
    axes.plot(false, true, color=TRUE)
    axes.axvline(0.05, color=GREY, linestyle=":", linewidth=0.9)
    axes.annotate("5 %", (0.055, 0.02), color=GREY)
    axes.set(xlabel="false declarations accepted", ylabel="true declarations accepted", xlim=(0, 1), ylim=(0, 1))


@_picture(
    "coverage-{by}",
    "Coverage by {by}",
    "Coverage of share intervals by {by}",
    "Each line is a kind of parcel; bars are 90 % intervals. The dotted line is the level stated in reports.",
)
def coverage_plot(axes: Any, cells: Sequence[CoverageCell], *, by: Literal["share", "size"]) -> None:
    """How often intervals held the true share, by that share or by the number of stones, a line for each kind."""
    for k, kind in enumerate(sorted({c.kind for c in cells})):
        ends = [(c.share_low, c.share_high) if by == "share" else (c.n_stones_low, c.n_stones_high) for c in cells]
        sums = summed((sum(at) / 2, c.covered, c.trials) for at, c in zip(ends, cells, strict=True) if c.kind == kind)
        at = [*sums]
        limits = [clopper_pearson(*sums[x]) for x in at]
        share = np.array([sums[x][0] / sums[x][1] for x in at])
        error = np.abs(np.array([[v.low for v in limits], [v.high for v in limits]]) - share)
        color, line = (TRUE, FALSE, THIRD, GREY)[k % 4], ("-", "--", "-.", ":")[k % 4]
        axes.errorbar(at, share, error, color=color, linestyle=line, marker="o", capsize=2, label=kind)
    axes.axhline(cells[0].level, color=GREY, linestyle=":", linewidth=0.9)
    axes.set(ylabel="intervals that hold the true share", ylim=(0, 1.02))
    if by == "size":
        axes.set(xscale="log", xlabel="stones in the parcel")
    else:
        axes.set(xlabel="true undeclared share")
    axes.legend()


@_picture(
    "detection",
    "Detection",
    "Chance to find an undeclared share",
    "At share 0 a line shows the false alarm. The dotted line is the 90 % that detection limits refer to.",
)
def detection_plot(axes: Any, cells: Sequence[DetectionCell]) -> None:
    """Chance to find an undeclared share, a line for each number of stones."""
    for k, n in enumerate(sorted({c.n_stones for c in cells})):
        sums = summed((c.share, c.found, c.trials) for c in cells if c.n_stones == n)
        shade = str(0.7 - 0.7 * k / max(1, len({c.n_stones for c in cells}) - 1))
        axes.plot(
            [*sums],
            [found / of for found, of in sums.values()],
            color=shade,
            marker="os^Dv"[k % 5],
            label=f"{n} stones",
        )
    axes.axhline(0.9, color=GREY, linestyle=":", linewidth=0.9)
    axes.set(xlabel="undeclared share of stones", ylabel="found at 5 % false alarm", ylim=(0, 1.02))
    axes.legend()


@_picture(
    "novelty",
    "Novelty",
    "Parcels flagged as novel, by kind",
    "Known zones should be flagged no more often than the dotted line, others as often as can be.",
)
def novelty_plot(axes: Any, cells: Sequence[NoveltyCell]) -> None:
    """Share of parcels flagged as like nothing in the reference, by kind."""
    limits = [clopper_pearson(c.flagged, c.trials) for c in cells]
    share = np.array([c.flagged / c.trials for c in cells])
    error = np.array([[s - v.low, v.high - s] for s, v in zip(share, limits, strict=True)]).T
    place = np.arange(len(cells))
    axes.barh(place, share, xerr=error, color=TRUE, height=0.6, ecolor="#333333", capsize=2)
    axes.set_yticks(place, [c.kind for c in cells])
    axes.invert_yaxis()
    axes.axvline(cells[0].alpha, color=GREY, linestyle=":")
    axes.set(xlabel=f"flagged (p of {cells[0].alpha:g} or less)", xlim=(0, 1))


@_picture(
    "decision",
    "Errors by size",
    "Errors of the conclusion by size of parcel",
    "Bars reach to the measured share; whiskers to the upper limit of a 90 % interval.",
)
def decision_plot(axes: Any, cells: Sequence[DecisionErrors]) -> None:
    """Errors of the conclusion by size of parcel."""
    place = np.arange(len(cells))
    for shift, color, label, errors, trials in (
        (-0.2, TRUE, "true declarations queried", [c.true_queried for c in cells], [c.true_trials for c in cells]),
        (
            0.2,
            FALSE,
            "false declarations called consistent",
            [c.false_consistent for c in cells],
            [c.false_trials for c in cells],
        ),
    ):
        pairs = [(e, t) for e, t in zip(errors, trials, strict=True)]
        share = [e / t if t else 0.0 for e, t in pairs]
        high = [clopper_pearson(e, t).high if t else 0.0 for e, t in pairs]
        up = np.maximum(np.array(high) - np.array(share), 0.0)
        axes.bar(place + shift, share, 0.38, yerr=[np.zeros_like(up), up], color=color, capsize=2, label=label)
    sizes = [stones_between(c.n_stones_low, c.n_stones_high) for c in cells]
    axes.set_xticks(place, sizes, rotation=40, ha="right", fontsize=7)
    axes.set(xlabel="stones in the parcel", ylabel="share of parcels")
    axes.legend()
