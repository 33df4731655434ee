"""The names that other programs may rely on; the list grows and shrinks on purpose only."""

from __future__ import annotations

import doctest
from importlib import import_module

import pytest

import kpfootprint
from tests.every import every

NAMES = [
    "Batch",
    "KPFootprintError",
    "__version__",
    "examine",
    "ingest_file",
    "ingest_json",
    "ingest_submission",
    "load_release",
    "read_report",
    "render_html",
    "render_pdf",
    "render_text",
    "shipped_release",
]


def test_public_names() -> None:
    assert dir(kpfootprint) == NAMES


@every("name", NAMES)
def test_every_public_name_can_be_had_and_says_what_it_is(name: str) -> None:
    found = getattr(kpfootprint, name)
    assert name.startswith("__") or found.__doc__


@every("name", [name for name in NAMES if not name.startswith("__")])
def test_every_public_name_has_an_example_that_is_run(name: str) -> None:
    found = getattr(kpfootprint, name)
    runner, globs = doctest.DocTestRunner(), vars(import_module(found.__module__))
    examples = doctest.DocTestFinder(recurse=False).find(found, name, globs=dict(globs))
    assert sum(len(test.examples) for test in examples) > 0
    for test in examples:
        assert runner.run(test).failed == 0


def test_other_names_cannot_be_had() -> None:
    with pytest.raises(AttributeError, match="no attribute 'compare_everything'"):
        _ = kpfootprint.compare_everything
