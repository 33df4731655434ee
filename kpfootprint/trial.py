"""A release is tried before it is relied on: a small parcel through the whole flow, and its report as pages."""

from __future__ import annotations

import warnings
from datetime import UTC, date, datetime

import numpy as np

from kpfootprint.errors import ReleaseError
from kpfootprint.flow import examine
from kpfootprint.parcel import Batch, Declaration, Parcel, Stones
from kpfootprint.release import Release
from kpfootprint.report import render_html
from kpfootprint.retold import LANGUAGES

DAY = date(2024, 1, 1)
STONES_A_CLASS = 6


def try_release(release: Release) -> None:
    """Examine a parcel that any release must be able to examine.

    What the checks on loading cannot see (a network that was trained for other features, labels that are missing, a
    matrix that cannot be turned) shows here, before a release is put in force.

    Raises
    ------
    ReleaseError
        Where anything goes wrong, or a number comes out that is none.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            now = datetime(2024, 1, 1, tzinfo=UTC)
            (report,) = examine(Batch((_parcel(release),)), release, status_on=DAY, created_at=now)
            for lang in LANGUAGES:
                render_html(report, lang)
    except Exception as error:  # whatever a foreign release makes of our code, it is the release that is refused
        reason = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        raise ReleaseError(
            "release {name} cannot be used: a trial parcel failed ({reason})", name=release.name, reason=reason
        ) from error


def _parcel(release: Release) -> Parcel:
    """Return a parcel of two zones, where there are two, with a few stones of every class."""
    own = release.scheme.size.sieve_set
    low = np.maximum(np.array(own.lower_ct), own.upper_ct[0] / 2)
    weight_ct = np.tile(1.05 * low, STONES_A_CLASS)
    codes = {
        item.name: (np.arange(weight_ct.size) % len(item.classes)).astype(np.int16)
        for item in release.scheme.categorical
    }
    return Parcel(
        parcel_id="trial",
        n_stones=weight_ct.size,
        carats=float(weight_ct.sum()),
        declarations=tuple(Declaration(zone_id=zone, carats=1.0) for zone in release.zone_ids[:2]),
        stones=Stones(weight_ct=weight_ct, codes=codes),
    )
