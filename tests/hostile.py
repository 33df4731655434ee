"""Inputs of somebody who means harm: each has the structure of a good one, and something terribly wrong in it."""

from __future__ import annotations

import json
import os
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, composite

EXAMPLES = int(os.environ.get("KPF_HOSTILE_EXAMPLES", "0"))
"""Hostile inputs of all kinds together that `make validate` asks for; few where it does not ask."""

ODD_TEXT = st.sampled_from(
    [
        *(
            "",
            " ",
            "-",
            "0",
            "null",
            "NaN",
            "1e999",
            "-1",
            "1,5",
            "١٢",
            "5;DROP TABLE keys",
            "=1+1",
            "../../x",
            "TOTAL",
        ),
        *(
            "\x00",
            "\x1b]0;owned\x07",
            "a\u202eb",
            "a\u200bb",
            "\ufeff",
            "\U0001f48e",
            "e\u0301" * 9,
            "ß" * 300,
            "x" * 70_000,
        ),
        *("9999-12-31", "0000-00-00", "2024-02-30", "2024-03-11T00:00:00Z", "berberati", "+9-11", "-11+9", "4 gr"),
    ]
)
ODD_NUMBER = st.sampled_from(
    [0, -0.0, -1, 1e308, -1e308, 5e-324, 10**30, 2**63, 0.1 + 0.2, 4999.99, 5000.01, 1e-9, True, False]
)
ODD = st.one_of(
    ODD_TEXT,
    ODD_NUMBER,
    st.none(),
    st.sampled_from([[], {}, [[]], [{}], {"": ""}, {"a": {"b": []}}, [None], [0] * 1000, ["x"] * 200]).map(deepcopy),
    st.text(max_size=12),
    st.floats(allow_nan=False),
)


def good() -> dict[str, Any]:
    return {
        "parcel_id": "H-1",
        "exported_on": "2024-03-11",
        "certificate_no": "CF-1",
        "exporter": "E1",
        "declarations": [{"zone_id": "berberati", "carats": 2.0}, {"zone_id": "carnot", "carats": 1.0}],
        "conditions": {"cleaning_state": "acid_rinsed", "selection": "run_of_mine", "sorter": "S7"},
        "stones": {
            "weight_ct": [0.5, 0.75, 1.75],
            "colour": ["brown", "white", None],
            "morphology": ["octahedron"] * 3,
        },
    }


def rows() -> dict[str, Any]:
    columns = good()["stones"]
    table = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    return {**good(), "stones": table}


def counted() -> dict[str, Any]:
    cells = [
        {"size_class": "+9", "colour": "brown", "n_stones": 3},
        {"size_class": "+11", "colour": "white", "n_stones": 2},
    ]
    document = {name: value for name, value in good().items() if name != "stones"}
    return {**document, "declarations": [{"zone_id": "nola"}], "counts": cells}


def places(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [way, *(place for name, item in inner for place in places(item, (*way, name)))]


def repeated(items: list[Any], times: int) -> list[Any]:
    """Return a list many times over, as often as makes a few megabytes of it: the bombs are for others to bear."""
    return items * min(times, max(1, 4_000_000 // len(json.dumps(items, default=str))))


@composite
def documents(draw: DrawFn) -> bytes:
    """Draw a parcel in JSON with a few things wrong, or text that is nearly that."""
    document: Any = draw(st.sampled_from([good, rows, counted]))()
    for _ in range(draw(st.sampled_from([0, 1, 1, 1, 2, 3]))):
        place = draw(st.sampled_from(places(document)))
        if not place:
            continue
        *way, last = place
        holder: Any = document
        for name in way:
            holder = holder[name]
        match draw(st.integers(0, 6)):
            case 0 | 1:
                holder[last] = draw(ODD)
            case 6:
                old = holder[last]
                like = {str: st.one_of(ODD_TEXT, st.text(max_size=12)), int: ODD_NUMBER, float: ODD_NUMBER}
                holder[last] = draw(like.get(type(old), ODD))
            case 2 if isinstance(holder[last], float):
                holder[last] *= draw(st.sampled_from([0.001, 0.37, 1.0000001, 900.0, 1e6]))
            case 3:
                del holder[last]
            case 4 if isinstance(holder, list):
                holder.extend(repeated([holder[last]], draw(st.sampled_from([1, 50, 3000]))))
            case 5 if isinstance(holder, dict):
                holder |= {draw(ODD_TEXT) + str(number): draw(ODD) for number in range(draw(st.sampled_from([1, 40])))}
            case _:
                holder[last] = draw(ODD)
    text = json.dumps(document, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")
    match draw(st.integers(0, 23)):
        case 0:
            text = text.replace(b'"parcel_id"', b'"stones"', 1)
        case 1:
            text = text[: draw(st.integers(0, len(text)))]
        case 2:
            text = b'{"parcel_id":' * draw(st.sampled_from([3, 900, 50_000])) + text
        case 3:
            text = text.replace(
                b"0.75", draw(st.sampled_from([b"NaN", b"-Infinity", b"1e9999", b"00.5", b"+1", b"1" * 5000]))
            )
        case 4:
            text = draw(st.sampled_from([b"\xef\xbb\xbf", b"\xff\xfe", b"\0", b"[", b" " * 100_000])) + text
        case 5:
            text = text.replace(b"brown", draw(st.sampled_from([b"\\ud800", b"\\u0000", b"\xc3", b"\xed\xa0\x80"])))
        case _:
            pass
    return text
