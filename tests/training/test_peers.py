from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from kpfootprint import shipped_release
from kpfootprint.errors import ReleaseError
from kpfootprint.parcel import Batch
from kpfootprint.reference import ReferencePackage
from kpfootprint.release import load_release, write_release
from tests.training.parcels import SCHEME, ZONES, make_package, make_parcel
from training.evaluate.measure import measure, measure_shares
from training.evaluate.methods import fit_splits, held_out, zone_codes, zones_of
from training.evaluate.mixtures import mix
from training.evaluate.setting import Setting
from training.folds import fold_of_parcels, folds
from training.peers import PEERS, UNMIXERS
from training.peers.beside import measure_peers, render_peers
from training.peers.tables import Peer, Unmixer, tables_of
from training.peers.usual import MultinomialEM
from training.record import Evaluation


@pytest.fixture(scope="module")
def package() -> ReferencePackage:
    return make_package()


def test_tables_count_every_stone_once(package: ReferencePackage) -> None:
    tables = tables_of(package.batch, package.scheme)
    n_stones = [parcel.n_stones for parcel in package.batch]
    assert tables.size.sum(axis=1).tolist() == n_stones
    for margin in tables.margins:
        assert margin.sum(axis=1).tolist() == n_stones
    for cells in tables.cells:
        assert cells.sum(axis=1).tolist() == n_stones
    stones = package.batch.parcels[0].stones
    assert stones is not None
    assert tables.size[0, 0] == (stones.weight_ct < 0.1).sum()
    assert tables.by_size["colour"][0, 5, 2] == ((stones.weight_ct >= 1.6) & (stones.codes["colour"] == 2)).sum()


@pytest.mark.slow
@pytest.mark.parametrize("method", PEERS, ids=lambda m: m.name)
def test_peers_find_zones_that_differ_plainly(method: Peer, package: ReferencePackage) -> None:
    codes = zone_codes(package)
    fits = fit_splits(method, package, folds(fold_of_parcels(package.zone_of, n_folds=3, seed=1)))
    evidence, strangeness = held_out(fits, package.batch, len(ZONES))
    assert evidence.shape == (len(codes), len(ZONES) + 1)
    assert np.isneginf(evidence[:, -1]).all()
    assert (evidence[:, :-1].argmax(axis=1) == codes).mean() > 0.7
    assert strangeness is None or np.isfinite(strangeness).all()


@pytest.mark.slow
@pytest.mark.parametrize("method", PEERS, ids=lambda m: m.name)
def test_peers_learn_from_the_parcels_of_a_split_only(method: Peer, package: ReferencePackage) -> None:
    train = np.flatnonzero(zone_codes(package) != 0)
    shown = package.batch.take(np.array([0, 20]))
    evidence = method.fit(package, train).seen(shown)[0]
    assert np.isfinite(evidence[:, : len(zones_of(package))]).all()
    # What was not learnt from may be anything: the same fit from a package with another first zone.
    other = make_package(seed=6)
    mixed = ReferencePackage(
        **{
            **{name: getattr(package, name) for name in ReferencePackage.__dataclass_fields__},
            "batch": type(package.batch)((*other.batch.parcels[:12], *package.batch.parcels[12:])),
        }
    )
    np.testing.assert_array_equal(method.fit(mixed, train).seen(shown)[0], evidence)


@pytest.mark.slow
@pytest.mark.parametrize("method", PEERS, ids=lambda m: m.name)
def test_a_parcel_of_which_an_attribute_was_not_recorded_is_scored(method: Peer, package: ReferencePackage) -> None:
    bare = package.batch.parcels[0]
    assert bare.stones is not None
    unknown = np.full(bare.n_stones, -1, dtype=np.int16)
    bare = replace(bare, stones=replace(bare.stones, codes={**bare.stones.codes, "colour": unknown}))
    batch = type(package.batch)((bare, *package.batch.parcels[1:]))
    fitted = method.fit(replace(package, batch=batch), np.arange(len(batch)))
    assert np.isfinite(fitted.seen(batch.take(np.array([0, 20])))[0][:, : len(ZONES)]).all()


@pytest.mark.slow
def test_far_parcels_are_strange(package: ReferencePackage) -> None:
    rng = np.random.default_rng(1)
    middle = type(package.batch)((make_parcel(1, name="F", n=300, rng=rng, drift=0.0),))
    odd = type(package.batch)((make_parcel(-1, name="F", n=300, rng=rng, drift=0.0),))
    everything = np.arange(len(package.batch))
    for method in PEERS:
        fitted = method.fit(package, everything)
        usual, strange = fitted.seen(middle)[1], fitted.seen(odd)[1]
        assert (usual is None) == (strange is None)
        if usual is not None and strange is not None:
            assert strange[0] > usual[0]


@pytest.mark.parametrize("method", UNMIXERS, ids=lambda m: m.name)
def test_unmixers_find_a_half_and_order_their_limits(method: Unmixer, package: ReferencePackage) -> None:
    rng = np.random.default_rng(2)
    pure, foreign = (make_parcel(z, name="M", n=2000, rng=rng, drift=0.0) for z in (0, 2))
    batch = Batch(tuple(mix(pure, foreign, share, 1500, rng=rng) for share in (0.0, 0.5, 1.0)))
    everything, declared = np.arange(len(package.batch)), np.zeros(3, dtype=np.intp)
    found = method.learnt_from(package, everything)(batch, declared)
    assert (found.low <= found.share + 1e-12).all()
    assert (found.share <= found.high + 1e-12).all()
    assert found.share[0] < found.share[1] < found.share[2]
    assert found.share[1] == pytest.approx(0.5, abs=0.2)
    assert found.p_value[1] < 0.05
    again = method.learnt_from(package, everything)(batch, declared)
    assert found.share.tolist() == again.share.tolist()


def test_profile_of_nothing_undeclared_is_the_likelihood_itself(package: ReferencePackage) -> None:
    tables, fitted = tables_of(package.batch, SCHEME), MultinomialEM()
    fitted.learn(tables, zone_codes(package), 3)
    counts = [cells[0] for cells in tables.cells]
    pure = sum(np.log(pooled[0]) @ cells for pooled, cells in zip(fitted.pooled_, counts, strict=True))
    assert fitted._profile(counts, 0)[0] == pytest.approx(pure)


@pytest.mark.slow
def test_the_table_holds_every_method_and_marks_the_best(package: ReferencePackage) -> None:
    unmixer = MultinomialEM()
    settings = [Setting.of(method, package, unlisted_weight=0.2, turned=0.0) for method in PEERS[:3]]
    verification = [measure(setting, n_resamples=5) for setting in settings]
    mixing = [measure_shares(unmixer.name, partial(unmixer.learnt_from, package), settings[0], n_each=1)]
    measured = partial(render_peers, verification, mixing, n_parcels=36, synthetic=True)
    assert "never tells zones apart" in measured(days=[])
    page = measured(days=["2020-01-01"])
    assert "(2020-01-01)" in page
    for evaluation in [*verification, *mixing]:
        assert f"| {evaluation.release} |" in page
        assert Evaluation.from_json(evaluation.to_json()).results == evaluation.results
    best = min(e.result("Cllr").value for e in verification)  # type: ignore[union-attr, type-var]
    assert f"**{best:.3f}**".replace("**0", "**") in page


@pytest.mark.slow
def test_a_fit_that_was_not_measured_is_told(tmp_path: Path) -> None:
    release = load_release(shipped_release())
    manifest = {name: value for name, value in release.manifest.items() if name != "files"}
    write_release(tmp_path / "fitted", manifest, release.model, {"CARD.md": "card\n", "evaluation.json": "{}\n"})
    with pytest.raises(ReleaseError, match=r"was not evaluated: python -m training evaluate --model .*fitted"):
        measure_peers(Path("data/reference"), tmp_path / "out", tmp_path / "fitted", print)
