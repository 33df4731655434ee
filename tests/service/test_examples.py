"""Every example gives the same report by command line, by JSON, and by the page."""

from __future__ import annotations

import io
import json
import shlex
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from kpfootprint.cli.examine import compare
from kpfootprint.cli.reading import as_parcel
from kpfootprint.ingest import ingest_file, parcel_to_json
from kpfootprint.release import load_release, shipped_release
from tests.cli.running import kpfootprint

Ask = Callable[..., Any]
ROOT = Path(__file__).parents[2]


def commands() -> list[list[str]]:
    """Return the arguments of every comparison that the examples' page shows."""
    lines = (ROOT / "examples" / "README.md").read_text(encoding="utf-8").splitlines()
    return [shlex.split(line)[2:] for line in lines if line.startswith("kpfootprint compare ")]


def stem(path: Path) -> str:
    return path.name.split(".")[0]


def fields_of(arguments: list[str]) -> dict[str, Any]:
    """Return what the options say, in the JSON parcel's shape."""
    with compare.make_context("compare", list(arguments)) as context:
        return as_parcel(context.params)


def uploaded(path: Path) -> tuple[str, bytes]:
    """Return name and content as a browser would send them; a folder goes as an archive."""
    if path.is_file():
        return path.name, path.read_bytes()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for table in sorted(path.iterdir()):
            archive.write(table, table.name)
    return f"{path.name}.zip", packed.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize("arguments", commands(), ids=lambda arguments: Path(arguments[0]).name)
def test_an_example_gives_the_same_report_everywhere(
    ask: Ask, app: TestClient, keys: dict[str, str], tmp_path: Path, arguments: list[str]
) -> None:
    path = ROOT / arguments[0]
    options = arguments[1:]
    done = kpfootprint("compare", path, *options, "--format", "json", home=tmp_path)
    assert done.status == 0, done.err
    by_command = json.loads(done.text)

    release = load_release(shipped_release())
    fields = fields_of([str(path), *options])
    given = ({"parcel_id": stem(path)} if path.suffix == ".csv" else {}) | fields
    parcel = ingest_file(path, release.scheme, release.zone_table, parcel=given)
    answer = ask("monitor", "POST", "/v1/comparisons", json=parcel_to_json(parcel, release.scheme))
    assert answer.status_code == 201, answer.text
    assert answer.json()["report_id"] == by_command["report_id"]

    app.post("/sign-in", data={"key": keys["monitor"]})
    form: dict[str, Any] = {"exported_on": fields.get("exported_on", "")}
    form |= {name: str(value) for name, value in fields.get("conditions", {}).items()}
    declared = fields.get("declarations", [])
    form["zone"] = [item["zone_id"] for item in declared]
    form["carats"] = [str(item["carats"] or "").replace(".", ",") for item in declared]
    sent = app.post("/", data=form, files={"file": uploaded(path)})
    assert sent.status_code == 303, sent.text
    by_page = app.get("/v1" + sent.headers["location"]).json()
    assert by_page["report_id"] == by_command["report_id"]
