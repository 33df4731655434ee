"""Sieve sets that a submission declares in ``size_classes``."""

from __future__ import annotations

from kpfootprint.errors import SchemeMismatch
from kpfootprint.ingest.cells import read_text
from kpfootprint.ingest.fields import MAX_CARATS, marks_of, number_reader, tell_ragged
from kpfootprint.ingest.findings import Findings
from kpfootprint.ingest.rules import Broken
from kpfootprint.ingest.tables import Table
from kpfootprint.ingest.words import Words, fold
from kpfootprint.scheme import SieveSet


def read_sieve_sets(table: Table | None, words: Words, findings: Findings) -> dict[str, SieveSet | None]:
    """Read ``size_classes`` beside the package's own sets, by folded name; None where the rows make no set."""
    sets: dict[str, SieveSet | None] = {fold(item.name): item for item in words.scheme.sieve_sets}
    if table is None:
        return sets
    marks = marks_of(table)
    lower_of = number_reader(marks, table.typed, maximum=5000.0, zero=True)
    upper_of = number_reader(marks, table.typed, maximum=MAX_CARATS)
    gathered: dict[str, list[tuple[float, float, str]]] = {}
    names: dict[str, str] = {}
    for row, record in enumerate(table.records()):
        read = {
            "sieve_set": read_text(record["sieve_set"]),
            "size_class": read_text(record["size_class"]),
            "lower_ct": lower_of(record["lower_ct"]),
            "upper_ct": upper_of(record.get("upper_ct")),
        }
        broken = {name: value for name, value in read.items() if isinstance(value, Broken)}
        missing = [name for name in ("sieve_set", "size_class", "lower_ct") if read[name] is None]
        for name in missing:
            broken[name] = Broken("missing_value")
        for name, value in broken.items():
            findings.add(None, table.problem(value, row, name))
        tell_ragged(table, row, None, findings)
        key = fold(str(read["sieve_set"]))
        names.setdefault(key, str(read["sieve_set"]))
        rows = gathered.setdefault(key, [])
        if not broken:
            upper = read["upper_ct"]
            rows.append((read["lower_ct"], float("inf") if upper is None else upper, str(read["size_class"])))  # type: ignore[arg-type]
    for key, rows in gathered.items():
        declared = _sieve_set(names[key], rows, table, findings)
        known = sets.get(key)
        if known is not None and declared is not None:
            if (known.classes, known.lower_ct, known.upper_ct) != (
                declared.classes,
                declared.lower_ct,
                declared.upper_ct,
            ):
                detail = f"{names[key]} is a set of the reference package with other limits; give yours another name"
                findings.add(None, table.problem(Broken("bad_sieve_set", {"detail": detail})))
        else:
            sets[key] = declared
    return sets


def _sieve_set(name: str, rows: list[tuple[float, float, str]], table: Table, findings: Findings) -> SieveSet | None:
    if not rows:
        return None
    lower, upper, classes = zip(*sorted(rows), strict=True)
    try:
        return SieveSet(name=name, classes=classes, lower_ct=lower, upper_ct=upper).checked()
    except SchemeMismatch as error:
        findings.add(None, table.problem(Broken("bad_sieve_set", {"detail": error})))
        return None
