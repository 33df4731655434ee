"""Workbooks and folders of an archive that are parcels, each with tables of its own: the file or folder names it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from kpfootprint.ingest.files.workbook import BOOKS
from kpfootprint.ingest.names.inquiry import Inquiry
from kpfootprint.ingest.names.parcel_names import ask_about_names
from kpfootprint.ingest.problems import listed
from kpfootprint.ingest.raw.tables import GOODS, KnownTable, RawTable, stacked_by_kind
from kpfootprint.ingest.sheets.around import sums_up
from kpfootprint.ingest.sheets.together import ask_about_same_rows, ids_of, recognise_all
from kpfootprint.ingest.words import fold, table_names


def recognise_files(raws: list[RawTable], inquiry: Inquiry) -> dict[str, KnownTable]:
    """Recognise the tables of an input by kind, those of each folder or workbook apart where several hold goods.

    A folder holds a parcel where another one has a table of the same name, ``CAR-7/stones.csv``; a workbook where
    another one has goods too.
    """
    for of in (_folder, _workbook):
        groups = _grouped(raws, of)
        named = [group for name, group in groups.items() if name]
        if len(named) < 2 or (of is _folder and not _share_names(named)):
            continue
        if (found := _each_a_parcel(groups, inquiry)) is not None:
            return found
    return recognise_all(raws, inquiry)


def _each_a_parcel(groups: Mapping[str, list[RawTable]], inquiry: Inquiry) -> dict[str, KnownTable] | None:
    """Return the tables of groups that are a parcel each, below each other; None where less than two hold goods."""
    told = {name: inquiry.apart() for name in groups}
    found = {name: recognise_all(group, told[name], several=True) for name, group in groups.items()}
    held = {name: [tables[kind] for kind in GOODS if kind in tables] for name, tables in found.items() if name}
    goods = [name for name, own in held.items() if any("parcel_id" not in table.columns for table in own)]
    every = [table for name in goods for table in held[name]]
    summed = any(sums_up(one, other, inquiry.scheme) for one in every for other in every)
    if len(goods) < 2 or summed or any(fold(name) in table_names() for name in goods):
        return None
    said = {name: sorted(ids_of(found[name])) for name in goods}
    ids = {name: own[0] if len(own) == 1 else name for name, own in said.items()}
    one = inquiry.choices.get("sheets") == "one"
    for name, heard in told.items():
        whole = name in ids and all(table.complete for table in found[name].values())
        of_parcel = {"parcel": ids[name]} if whole and not one else {}
        for item in heard.problems:
            table = f"{name}/{item.table}" if name else item.table
            inquiry.problems.append(replace(item, table=table, values={**of_parcel, **item.values}))
    _ask({name: found[name] for name in goods}, ids, inquiry)
    return _stacked(found, ids, one=one)


def _folder(raw: RawTable) -> tuple[str, ...]:
    return PurePosixPath(raw.source.replace("\\", "/")).parent.parts


def _workbook(raw: RawTable) -> tuple[str, ...]:
    path = PurePosixPath(raw.source.replace("\\", "/"))
    return (path.stem,) if path.suffix.lower() in BOOKS else ()


def _grouped(raws: Sequence[RawTable], of: Callable[[RawTable], tuple[str, ...]]) -> dict[str, list[RawTable]]:
    """Return tables by the first part of their paths in which they differ; those that have none are of all."""
    paths = [of(raw) for raw in raws]
    deep = [path for path in paths if path]
    same = 0
    while deep and all(len(path) > same and path[same] == deep[0][same] for path in deep) and len({*deep}) > 1:
        same += 1
    groups: dict[str, list[RawTable]] = {}
    for raw, path in zip(raws, paths, strict=True):
        groups.setdefault(path[same] if len(path) > same else "", []).append(raw)
    return groups


def _share_names(groups: Sequence[Sequence[RawTable]]) -> bool:
    """Say whether tables of one name stand in several groups."""
    names = [{table_names().get(fold(raw.name), fold(raw.name)) for raw in group} for group in groups]
    return len(set().union(*names)) < sum(map(len, names))


def _ask(found: Mapping[str, Mapping[str, KnownTable]], ids: Mapping[str, str], inquiry: Inquiry) -> None:
    """Tell groups of one parcel, and those that hold the same rows; ask whether names that are none of parcels are."""
    meant, goods = inquiry.choices.get("sheets"), [*ids]
    for at, name in enumerate(goods if meant != "one" else ()):
        for other in goods[:at]:
            if ids[name] == ids[other]:
                inquiry.tell("table_twice", name, other=other)
            elif meant != "parcels":
                goods_of = [[table for table in found[of].values() if table.n_rows > 1] for of in (name, other)]
                ask_about_same_rows(name, other, goods_of[0], goods_of[1], inquiry)
    unsure = [name for name in goods if name == ids[name]]
    ask_about_names(unsure, next(iter(unsure), ""), inquiry)


def _stacked(
    found: Mapping[str, Mapping[str, KnownTable]], ids: Mapping[str, str], *, one: bool
) -> dict[str, KnownTable]:
    """Lay the tables of all parcels below each other."""
    parts = [(table, ids.get(name)) for name, tables in found.items() for table in tables.values()]
    bare = [table.kind != "size_classes" and "parcel_id" not in table.columns and not one for table, _ in parts]
    made = stacked_by_kind((table, own if of else None) for of, (table, own) in zip(bare, parts, strict=True))
    if not one:
        goods = next(made[kind] for kind in GOODS if kind in made)
        goods.trace.note("files_of_parcels", parcels=listed(sorted(ids.values()), 20))
    return made
