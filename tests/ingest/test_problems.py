from __future__ import annotations

import ast
import re
import string
from pathlib import Path

import pytest

import kpfootprint.ingest
from kpfootprint.ingest import RULES
from kpfootprint.ingest.problems import Broken, problem
from tests.every import every
from tests.source import tree_of

SOURCES = sorted(Path(kpfootprint.ingest.__file__).parent.rglob("*.py"))


def strings() -> set[str]:
    """Return every string in the code of ingestion."""
    found: set[str] = set()
    for path in SOURCES:
        tree = tree_of(path)
        found |= {
            node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
    return found | {"more_problems"}


def test_every_rule_is_used() -> None:
    assert set(RULES) <= strings()


@every("code", RULES)
def test_rules_have_stable_names_and_readable_texts(code: str) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", code)
    fields = {name for _, name, _, _ in string.Formatter().parse(RULES[code]) if name}
    reason = Broken(code, dict.fromkeys(fields, "x")).reason
    assert reason
    assert "{" not in reason


def test_long_values_are_cut() -> None:
    assert len(problem(Broken("not_a_number"), table="t", value="9" * 500).value or "") == 80


@pytest.mark.parametrize("page", ["data.md"])
def test_rules_stand_in_the_docs(page: str) -> None:
    text = (Path(__file__).parents[2] / "docs" / page).read_text(encoding="utf-8")
    assert not [code for code in RULES if f"`{code}`" not in text]
