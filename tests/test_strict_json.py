"""One meaning a text: what readers of JSON differ in is refused."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpfootprint.strict_json import AmbiguousJson, NotJson, read_json
from tests.every import every

DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(DOCUMENTS, st.booleans(), st.booleans())
def test_what_json_writes_is_read_back(document: object, marked: bool, escaped: bool) -> None:
    text = json.dumps(document, ensure_ascii=escaped)
    assert read_json(text.encode("utf-8-sig" if marked else "utf-8")) == document
    assert read_json(text) == document


@every(
    "data, said",
    [
        (b"", "Expecting value"),
        (b"{", "Expecting property name"),
        (b'{"a": 1, "a": 1}', "'a' comes twice"),
        (b'[{"b": {"a": 1, "x": 2, "a": 2}}]', "'a' comes twice"),
        (b'{"a": NaN}', "NaN is no number"),
        (b"[-Infinity]", "-Infinity is no number"),
        (b"[1e999]", "1e999 is too large"),
        (b"[" + b"9" * 310 + b"]", "9… is too large"),
        (b"[-" + b"9" * 5000 + b"]", "9… is too large"),
        (b'["\\ud800"]', "half a character"),
        (b'{"\\udC00": 1}', "half a character"),
        (b'"caf\xe9"', "not UTF-8: byte 4 is 0xe9"),
        ("[1]".encode("utf-16"), "not UTF-8"),
        (b"[" * 100_000 + b"]" * 100_000, "nested too deep"),
        (b"[" + b"1" * 5000 + b"]", "1… is too large"),
    ],
)
def test_what_can_be_read_in_two_ways_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(NotJson) as told:
        read_json(data)
    assert said in str(told.value)
    assert len(str(told.value)) < 200


def test_a_pair_of_halves_is_a_character() -> None:
    assert read_json(b'["\\ud83d\\udc8e"]') == ["💎"]


def test_a_long_document_means_what_a_short_one_does() -> None:
    short = '{"a": [1, -2, 0.5, 1e3, "b", null, true, {"c": []}]}'
    (*many, last) = read_json("[" + (short + ",") * 30_000 + "3]")
    assert last == 3
    assert all(repr(one) == repr(json.loads(short)) for one in many[:2])
    assert many == [json.loads(short)] * 30_000
    with pytest.raises(AmbiguousJson, match="too large"):
        read_json("[" + "1," * 600_000 + "1e999]")


def test_more_lists_than_memory_would_hold_are_refused_unbuilt() -> None:
    with pytest.raises(NotJson, match="2,500,000 lists and objects"):
        read_json("[" + "[]," * 2_500_000 + "0]")


@pytest.mark.slow
def test_an_object_of_more_names_than_anybody_writes_is_refused() -> None:
    document = {f"a{k}": 0 for k in range(100_000)}
    assert read_json(json.dumps(document)) == document
    with pytest.raises(NotJson, match="more than 100,000 names"):
        read_json(json.dumps(document | {"b": 0}))


def test_long_runs_of_digits_are_looked_through_once() -> None:
    took = []
    for n in (2_000, 4_000):
        started = time.process_time()
        read_json("[" + ",".join(["1" * 299] * n) + "]")
        took.append(time.process_time() - started)
    assert took[1] < 0.5
