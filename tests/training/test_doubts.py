"""Which reference parcels and zones somebody should look at."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kpfootprint.reference import ReferencePackage
from tests.training.evaluations import make_evaluation
from tests.training.parcels import make_package
from training.config import read_config
from training.evaluate.doubts import influential_of, suspects_of
from training.prepare import fit_model, prepare
from training.record import Influence, Suspect
from training.validation_report import adequacy, render_validation


def doubts(package: ReferencePackage) -> tuple[tuple[Suspect, ...], tuple[Influence, ...]]:
    prepared = prepare(package, minimum_parcels=1)
    fitted = fit_model(prepared)
    return suspects_of(prepared, fitted), influential_of(prepared, fitted)


@pytest.fixture(scope="module")
def package() -> ReferencePackage:
    return make_package(n_each=10, n_stones=150)


def test_a_wrong_label_names_the_zone_that_the_parcel_resembles(package: ReferencePackage) -> None:
    swapped = replace(package, zone_of=("west", *package.zone_of[1:]))
    suspects, _ = doubts(swapped)
    found = next(item for item in suspects if item.parcel_id == "P000")
    assert (found.reason, found.zone_id, found.resembles) == ("mislabelled", "west", "east")


def test_influential_parcels_come_in_order(package: ReferencePackage) -> None:
    _, influential = doubts(package)
    moves = [item.moves for item in influential]
    assert moves == sorted(moves, reverse=True)
    assert all(move > 0 for move in moves)
    assert len({item.parcel_id for item in influential}) == len(influential)


def test_parcels_of_a_small_zone_move_it_more() -> None:
    few = make_package(n_each=4, n_stones=150)
    many = make_package(n_each=16, n_stones=150)
    assert np.median([i.moves for i in doubts(few)[1]]) > np.median([i.moves for i in doubts(many)[1]])


@pytest.mark.slow
def test_zones_are_judged_by_their_trials_and_shown() -> None:
    evaluation = make_evaluation(read_config().acceptance)
    west = next(item for item in adequacy(evaluation) if item.zone_id == "west")
    for share, is_h1 in ((west.supported, True), (west.passed, False)):
        log10_lr = [t.log10_lr for t in evaluation.trials if t.declared == "west" and t.is_h1 == is_h1]
        assert share == pytest.approx(np.mean(np.array(log10_lr) > 1))
    assert west.hardest == ("east" if west.passed else None)
    named = replace(evaluation, influential=(Influence(parcel_id="P<2>", zone_id="west", moves=0.5, n_parcels=3),))
    page = render_validation(named, read_config().acceptance)
    assert 'id="zones"' in page
    assert "P&lt;2&gt;" in page
    assert type(evaluation).from_json(named.to_json()).influential == named.influential
