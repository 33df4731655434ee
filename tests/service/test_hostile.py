"""Hostile inputs at every door: each is read or refused, in time, and nothing of a refused one is kept.

Some ninety in the fast suite. ``make validate`` asks for 2,000, the same each time, in a process that may take 1 GB
and no more; by hand any number: ``KPF_HOSTILE_EXAMPLES=20000 python -m pytest tests/service/test_hostile.py``.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kpfootprint.errors import ReleaseError
from kpfootprint.flow import examine
from kpfootprint.ingest import Upload, read
from kpfootprint.parcel import Batch
from kpfootprint.release import ARRAYS, MANIFEST, load_release, shipped_release
from kpfootprint.release.arrays import pack
from kpfootprint.report import render_html
from kpfootprint.trial import try_release
from kpfootprint.visible import UNSEEN
from service.register.opening import opened
from service.settings import Settings
from tests.hostile import EXAMPLES, ODD, documents, places
from tests.hostile_files import FILES
from tests.service.reading import all_kept, problem_in
from tests.source import ROOT
from tests.worlds import shipped

Ask = Callable[..., Any]
Kept = Callable[[], Any]

GIGABYTE = 1 << 30
IN_TIME = 20.0
"""Seconds of the processor for one input."""


def some(share: float, fast: int) -> settings:
    """Return how many examples of a kind are drawn."""
    return settings(
        max_examples=int(EXAMPLES * share) or fast,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        database=None,
    )


@pytest.fixture
def kept(app: object, home: Path) -> Iterator[Kept]:
    """Return a way to say all that is kept."""
    with opened(Settings(home=home)) as engine:
        yield partial(all_kept, engine, home)


@pytest.mark.slow
@some(0.4, 30)
@given(body=documents())
def test_a_hostile_document_is_answered_and_kept_only_where_it_is_read(ask: Ask, kept: Kept, body: bytes) -> None:
    before = kept()
    started = time.process_time()
    answer = ask("monitor", "POST", "/v1/comparisons", content=body, headers={"Content-Type": "application/json"})
    assert time.process_time() - started < IN_TIME
    if answer.status_code == 201:
        ask("viewer", "GET", answer.headers["location"] + ".html").raise_for_status()
        return
    assert answer.status_code in {400, 413, 422}, answer.text
    problem_in(answer, answer.status_code, answer.json()["code"])
    assert len(answer.content) < 1_000_000
    assert kept() == before


@pytest.mark.slow
@some(0.4, 30)
@given(brought=FILES)
def test_a_hostile_file_is_read_or_told(brought: tuple[str, bytes]) -> None:
    name, data = brought
    release = shipped()
    started = time.process_time()
    found = read(Upload(name, data), release.scheme, release.zone_table)
    assert time.process_time() - started < IN_TIME
    problems = [*found.problems, *(problem for failure in found.failures for problem in failure.problems)]
    for problem in problems:
        assert not UNSEEN.search(str(problem))
    assert found.parcels or problems
    few = Batch(tuple(parcel for parcel in found.parcels if parcel.n_stones < 50_000)[:3])
    for report in examine(few, release, status_on=date(2024, 3, 11), created_at=datetime(2024, 3, 11, tzinfo=UTC)):
        render_html(report, "fr")


@st.composite
def releases(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """Draw manifest and arrays of a release with one thing wrong in either."""
    manifest = json.loads((shipped_release() / MANIFEST).read_text("utf-8"))
    arrays: dict[str, Any] = dict(pack(shipped().model))
    if draw(st.booleans()):
        kept = {
            name: manifest[name] for name in ("scheme", "zone_table", "zone_ids", "level_names", "rules", "reference")
        }
        kept |= {
            name: manifest[name] for name in ("release", "released", "unlisted_weight", "verbal_scale", "error_rates")
        }
        *way, last = draw(st.sampled_from([place for place in places(kept) if place]))
        holder: Any = manifest
        for name in way:
            holder = holder[name]
        if draw(st.integers(0, 3)):
            holder[last] = draw(ODD)
        else:
            del holder[last]
        return manifest, arrays
    name = draw(st.sampled_from(sorted(arrays)))
    array = np.array(arrays[name])
    match draw(st.integers(0, 5)):
        case 0:
            del arrays[name]
        case 1 if array.ndim:
            arrays[name] = array[: draw(st.integers(0, len(array)))]
        case 2 if array.dtype.kind == "f" and array.size:
            array.flat[draw(st.integers(0, array.size - 1))] = draw(st.sampled_from([np.nan, np.inf, -1.0, 0.0, 1e30]))
            arrays[name] = array
        case 3:
            arrays[name] = array.reshape(1, *array.shape)
        case 4:
            arrays[name] = -array
        case _:
            arrays[name] = array.astype(
                draw(st.sampled_from([np.float32, np.int32, np.int64, np.float64, np.complex128]))
            )
    return manifest, arrays


@pytest.mark.slow
@some(0.15, 15)
@given(made=releases())
@pytest.mark.filterwarnings("ignore")
def test_a_hostile_release_is_refused_or_can_be_used(made: tuple[dict[str, Any], dict[str, Any]]) -> None:
    manifest, arrays = made
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        np.savez(folder / ARRAYS, **arrays)
        (folder / "CARD.md").write_text("card")
        files = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in (ARRAYS, "CARD.md")}
        (folder / MANIFEST).write_text(json.dumps({**manifest, "files": files}))
        try:
            try_release(load_release(folder))
        except ReleaseError as error:
            told = str(error)
        else:
            told = ""
    assert "\n" not in told


@pytest.mark.slow
@some(0.05, 15)
@given(brought=FILES)
def test_a_hostile_upload_keeps_nothing_where_it_is_refused(ask: Ask, kept: Kept, brought: tuple[str, bytes]) -> None:
    """As a parcel on a page, and as a submission by a program."""
    name, data = brought
    before = kept()
    answer = ask("monitor", "POST", "/", files={"file": (name, data)}, headers={"Accept": "text/html"})
    assert answer.status_code in {200, 303, 400, 413, 422}, answer.text  # 200: shown before anything is kept
    if answer.status_code != 303:
        assert kept() == before
    before = kept()
    answer = ask("monitor", "POST", "/v1/submissions", files={"file": (name, data)})
    if answer.status_code != 202:
        problem_in(answer, answer.status_code, answer.json()["code"])
        assert answer.status_code in {400, 413, 422}, answer.text
        assert kept() == before


@pytest.mark.slow
@pytest.mark.skipif(bool(EXAMPLES), reason="this is the process that was asked for them")
def test_two_thousand_hostile_inputs_within_a_gigabyte(tmp_path: Path) -> None:
    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_DATA, (2 * GIGABYTE, 2 * GIGABYTE))

    surroundings = os.environ | {"KPF_HOSTILE_EXAMPLES": "2000", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    told = tmp_path / "told.txt"
    with told.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "0", __file__],
            cwd=ROOT,
            env=surroundings,
            preexec_fn=limited,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, told.read_text(errors="replace")[-5000:]
    assert used.ru_maxrss * 1024 < GIGABYTE
