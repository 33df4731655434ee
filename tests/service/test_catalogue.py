"""Every text of the pages stands in the French catalogue, and the words are ours."""

from __future__ import annotations

import ast
import json
import pickle
import re
from typing import TypeGuard

from babel.messages.pofile import read_po

from kpfootprint.errors import Problem
from kpfootprint.ingest import RULES
from kpfootprint.ingest.files.csvfile import _MAGIC as MAGIC
from kpfootprint.ingest.problems import Broken, problem
from kpfootprint.reference import shipped_reference
from kpfootprint.retold import Said
from kpfootprint.scheme import AttributeClass, ClassSet, Scheme
from service.errors import Refused, refusal_with
from service.pages.problems import SAID, Teller
from service.pages.render import PAGES
from tests.cli.test_french_usage import in_french
from tests.service.messages import CARRIERS, TEMPLATES, messages
from tests.source import files, tree_of

NEVER = re.compile(
    r"\b(proves?|proof|matche?s?|confirm\w*|authentic\w*|conflict diamonds?|prouve\w*|preuve|authentique\w*"
    r"|diamants? de conflit)\b",
    re.IGNORECASE,
)


def test_everything_is_translated() -> None:
    with PAGES.open("rb") as stream:
        catalogue = read_po(stream)
    known = {m.id[0] if isinstance(m.id, tuple) else m.id: m for m in catalogue if m.id}
    wanted = set(messages())
    assert wanted - set(known) == set()
    assert set(known) - wanted == set(), "messages that no page shows any more"
    for message in known.values():
        texts = message.string if isinstance(message.string, tuple) else (message.string,)
        assert all(texts), message.id
        assert not message.fuzzy
        names = re.compile(r"%\(\w+\)s|\{\w+\}")
        first = message.id[0] if isinstance(message.id, tuple) else message.id
        assert all(set(names.findall(str(text))) == set(names.findall(str(first))) for text in texts), message.id


def test_what_is_refused_is_worded_late() -> None:
    worded = [node for path in files("service") for node in ast.walk(tree_of(path)) if _refuses(node)]
    assert len(worded) > 60
    assert not [ast.unparse(node) for node in worded if any(isinstance(part, ast.JoinedStr) for part in node.args)]


def _refuses(node: ast.AST) -> TypeGuard[ast.Call]:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CARRIERS


def test_a_refusal_is_told_in_french_with_its_values() -> None:
    refused = Refused("too_large", "A body may have at most {most} bytes.", most=5_000_000)
    assert refused.detail == "A body may have at most 5,000,000 bytes."
    assert Teller("en").refused(refused) == refused.detail
    assert Teller("fr").refused(refused) == "Un corps compte 5\u00a0000\u00a0000 octets au plus."
    assert Teller("fr").refused(refusal_with(404)) == "Il n’y a rien ici."
    again = pickle.loads(pickle.dumps(refused))
    assert (again.code, again.detail, again.said.values) == (refused.code, refused.detail, refused.said.values)


def test_a_problem_is_told_in_french_with_its_values() -> None:
    french = Teller("fr")
    broken = Broken("unknown_zone", {"nearest": "boda, bria"})
    unknown = problem(broken, table="t")
    assert french.told(unknown).endswith("boda, bria")
    assert "known" not in french.told(unknown)
    assert french.told(Problem(table="t", code="no rule", reason="as it is")) == "as it is"
    assert Teller("en").told(unknown) == unknown.reason == RULES["unknown_zone"].format(nearest="boda, bria")


def test_numbers_of_a_problem_are_written_as_its_language_does() -> None:
    values = {"expected": "97.50", "found": "1,097.5", "tolerance": "0.005"}
    told = problem(Broken("carats_total", values), table="t")
    assert "97,50 ct" in Teller("fr").told(told)
    assert "1\u00a0097,5 ct" in Teller("fr").told(told)
    assert Teller("en").told(told) == told.reason
    of_a_header = problem(Broken("sizes_overlap", {"one": "0.30", "other": "0.5"}), table="t")
    assert "0.30" in Teller("fr").told(of_a_header), "as the sheet writes it"


def phrases() -> set[str]:
    """Return every text of ours that ingestion puts into a value of a problem."""
    found: list[ast.expr] = []
    for path in files("kpfootprint/ingest"):
        for node in ast.walk(tree_of(path)):
            match node:
                case ast.Dict(keys=keys, values=values):
                    named = zip(keys, values, strict=True)
                    found += [value for key, value in named if isinstance(key, ast.Constant) and key.value in SAID]
                case ast.Call(func=ast.Name(id="refuse"), keywords=keywords):
                    found += [item.value for item in keywords if item.arg in SAID]
    texts = {node.value for item in found for node in ast.walk(item) if isinstance(node, ast.Constant)}
    return {text for text in texts if isinstance(text, str) and re.search("[a-z]{3}", text)}


def test_what_a_problem_says_of_the_input_is_said_in_french() -> None:
    assert len(phrases()) > 12
    assert sorted((phrases() | {found for _, found in MAGIC}) - in_french().keys()) == []
    longest = problem(
        Broken("wrong_type", {"expected": Said("text of at most {most} characters", most=1000)}), table="t"
    )
    assert Teller("fr").told(longest).endswith("attendu\u00a0: un texte d’au plus 1\u00a0000 caractères")
    told = problem(Broken("wrong_type", {"expected": "a date"}), table="t")
    assert Teller("fr").told(told).endswith("attendu\u00a0: une date")
    assert Teller("en").told(told) == told.reason


def test_classes_stand_in_a_problem_under_the_names_of_its_language() -> None:
    scheme = Scheme.from_json(json.loads((shipped_reference() / "datapackage.json").read_text(encoding="utf-8")))
    for item in scheme.categorical:
        parts: list[AttributeClass | ClassSet] = [*item.classes, *item.sets]
        for part in parts:
            broken = Broken("unknown_class", {"attribute": item.name, "nearest": f"{part.name}, …"})
            said = Teller("fr", scheme).told(problem(broken, table="t"))
            assert f"({item.labels['fr']})" in said
            assert f"{part.labels['fr']}, …" in said


def test_no_page_says_what_a_comparison_cannot() -> None:
    texts = [path.read_text(encoding="utf-8") for path in [*TEMPLATES.glob("*.html"), PAGES]]
    assert [found for text in texts for found in NEVER.findall(text)] == []
