"""The doors between the rooms: who may import whom, what the library may not touch, how long a file may be."""

from __future__ import annotations

import ast
from pathlib import Path
from statistics import median

import pytest

from tests.every import every
from tests.source import ROOT, Import, files, imports, module_of, modules_of, source_of, tree_of, within

CODE = ("kpfootprint", "training", "service")
OUR_OWN = CODE

FORBIDDEN_IN_LIBRARY = (
    *("aiohttp", "http.client", "http.server", "httpx", "requests", "socket", "urllib.request", "urllib3"),
    *("alembic", "dbm", "psycopg", "sqlalchemy", "sqlite3"),
    *("bentoml", "starlette", "uvicorn"),
    *("pandas", "sklearn", "joblib"),
    *("pickle", "shelve", "marshal", "random", "secrets", "uuid"),
)
CLOCK_AND_SURROUNDINGS = {
    *("datetime.now", "datetime.utcnow", "datetime.today", "date.today", "datetime.datetime.now"),
    *("time.time", "time.time_ns", "time.monotonic", "time.perf_counter", "time.localtime", "time.gmtime"),
    *("os.environ", "os.getenv", "os.environb", "os.getlogin", "os.urandom", "getpass.getuser", "socket.gethostname"),
    *("Path.home", "locale.getlocale", "locale.setlocale"),
}
LONGEST = 500
MEDIAN = 400


def told(path: Path, item: Import) -> str:
    return f"{path.relative_to(ROOT)} imports {item.module}"


def trespasses(folder: str, forbidden: tuple[str, ...], allowed: tuple[str, ...] = ()) -> list[str]:
    """Return the imports of a folder that lie in `forbidden` and not in `allowed`."""
    return [
        told(path, item)
        for path in files(folder)
        for item in imports(path)
        if any(within(name, forbidden) and not within(name, allowed) for name in modules_of(item))
    ]


def test_stats_imports_nothing_of_ours() -> None:
    assert trespasses("kpfootprint/stats", OUR_OWN, ("kpfootprint.stats",)) == []


def test_report_imports_the_parcel_and_what_a_comparison_found() -> None:
    allowed = (
        *("kpfootprint.parcel", "kpfootprint.scheme", "kpfootprint.errors", "kpfootprint.comparison.results"),
        "kpfootprint.plain",
        *("kpfootprint.report", "kpfootprint.strict_json", "kpfootprint.visible"),
        *("kpfootprint.bounded", "kpfootprint.retold"),
    )
    assert trespasses("kpfootprint/report", OUR_OWN, allowed) == []


def test_training_and_service_never_meet() -> None:
    assert trespasses("training", ("service",)) == []
    assert trespasses("service", ("training",)) == []


def test_the_library_never_imports_training() -> None:
    assert trespasses("kpfootprint", ("training",)) == []


def test_only_the_command_line_imports_the_service_and_only_inside_a_command() -> None:
    wrong = [
        told(path, item)
        for path in files("kpfootprint")
        for item in imports(path)
        if within(item.module, ("service",))
        and not (item.typing or (item.deep and within(module_of(path), ("kpfootprint.cli",))))
    ]
    assert wrong == []


def library() -> list[Path]:
    return [path for path in files("kpfootprint") if not within(module_of(path), ("kpfootprint.cli",))]


def test_the_library_has_no_network_no_database_and_no_chance() -> None:
    wrong = [
        told(path, item)
        for path in library()
        for item in imports(path)
        if any(within(name, FORBIDDEN_IN_LIBRARY) for name in modules_of(item))
    ]
    assert wrong == []


def test_the_library_has_no_clock_and_no_environment() -> None:
    wrong, last = [], {name.rpartition(".")[2] for name in CLOCK_AND_SURROUNDINGS}
    for path in library():
        tree = tree_of(path)
        found = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr in last)
        names = {ast.unparse(node) for node in found}
        wrong += [f"{path.relative_to(ROOT)} uses {name}" for name in sorted(names & CLOCK_AND_SURROUNDINGS)]
        taken = {f"{item.module}.{name}" for item in imports(path) for name in item.names}
        wrong += [f"{path.relative_to(ROOT)} imports {name}" for name in sorted(taken & CLOCK_AND_SURROUNDINGS)]
    assert wrong == []


def in_a_circle(leads_to: dict[str, set[str]]) -> list[str]:
    """Return what leads back to itself, however long the way round."""

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        waiting = [start]
        while waiting:
            for target in leads_to.get(waiting.pop(), set()) - seen:
                seen.add(target)
                waiting.append(target)
        return seen

    return [start for start in leads_to if start in reached(start)]


def folders() -> list[str]:
    """Return every folder with code, from the packages down."""
    return sorted({path.parent.relative_to(ROOT).as_posix() for folder in CODE for path in files(folder)})


@every("folder", folders())
def test_data_flows_one_way_between_the_rooms(folder: str) -> None:
    """In no folder a file or a folder imports one that imports it back; types alone do not count."""
    above = folder.replace("/", ".")
    deep = above.count(".") + 2
    leads_to: dict[str, set[str]] = {}
    for path in files(folder):
        here = ".".join(module_of(path).split(".")[:deep])
        found = {name for item in imports(path) if not item.typing for name in modules_of(item)}
        targets = {".".join(name.split(".")[:deep]) for name in found if within(name, (above,))}
        leads_to.setdefault(here, set()).update(targets - {here, above})
    leads_to.pop(above, None)  # its face hands on names of all of them
    assert in_a_circle(leads_to) == []


def test_no_file_leads_back_to_itself() -> None:
    """No file imports one that imports it back: not for types alone, not inside a function, not through a package."""
    leads_to = {
        module_of(path): {source_of(item.module, name) for item in imports(path) for name in item.names or ("",)}
        for folder in CODE
        for path in files(folder)
        if path.stem != "__init__"
    }
    assert in_a_circle({here: there & leads_to.keys() for here, there in leads_to.items()}) == []


@pytest.mark.parametrize("folder", CODE)
def test_files_are_short_and_named_for_what_they_do(folder: str) -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in files(folder)}
    too_long = {str(path.relative_to(ROOT)): n for path, n in lengths.items() if n > LONGEST}
    assert too_long == {}
    assert median([n for n in lengths.values() if n > 20] or [0]) <= MEDIAN
    vague = {"utils", "util", "helpers", "common", "misc", "tools", "base", "core"}
    assert [str(path.relative_to(ROOT)) for path in lengths if path.stem.strip("_") in vague] == []


def test_nothing_is_ever_unpickled() -> None:
    wrong = [
        told(path, item)
        for folder in CODE
        for path in files(folder)
        for item in imports(path)
        if within(item.module, ("pickle", "cloudpickle", "dill", "shelve"))
    ]
    assert wrong == []
