"""What README shows is what happens: its commands are run and their output is compared."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from tests.service.server import Server
from tests.source import ROOT

COMMAND, READING = ".venv/bin/kpfootprint compare", ".venv/bin/python -c"
BLOCK = re.compile(r"^```(sh|text)\n(.*?)^```$", re.M | re.S)
DAY = re.compile(r"\d{1,2} [A-Z][a-z]+ \d{4}")


def blocks() -> list[tuple[str, str]]:
    """Return the fenced blocks of the page, in order, as (language, text)."""
    return BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8"))


def after(start: str) -> str:
    """Return the output that the page shows after the commands that begin so."""
    outputs = [later for earlier, later in pairwise(blocks()) if earlier[1].startswith(start)]
    (shown,) = [output for kind, output in outputs if kind == "text"]
    return shown


def show(start: str, output: str) -> None:
    """Write the output into the page, after the commands that begin so (``--update-golden``)."""
    page = ROOT / "README.md"
    block = re.compile(rf"(^```sh\n{re.escape(start)}.*?^```\n.*?^```text\n).*?(^```$)", re.M | re.S)
    text = block.sub(lambda found: found[1] + output + found[2], page.read_text(encoding="utf-8"), count=1)
    page.write_text(text, encoding="utf-8")


def run(code: str, home: Path, folder: Path) -> str:
    """Run shell commands of the page with this interpreter's programs; return what they print."""
    code = code.replace(".venv/bin/python", sys.executable).replace(
        ".venv/bin/kpfootprint", f"{sys.executable} -m kpfootprint"
    )
    given = os.environ | {"KPF_HOME": str(home), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(["bash", "-euc", code], cwd=folder, env=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of its own in which the page's paths hold."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    return tmp_path


def test_the_comparison_by_command_gives_what_is_shown(folder: Path, update_golden: bool) -> None:
    """The page shows its first lines; dates apart, since the report tells when it was made."""
    (command,) = [code for kind, code in blocks() if kind == "sh" and "kpfootprint compare" in code]
    printed = run(command, folder / "home", folder)
    if update_golden:
        show(COMMAND, printed[: printed.index("What was declared\n")].rstrip() + "\n...\n")
    shown, rest = after(COMMAND).rsplit("...\n", 1)
    assert rest == ""
    assert len(shown.splitlines()) > 20
    assert DAY.sub("DAY", printed).startswith(DAY.sub("DAY", shown))


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on this machine")
def test_the_comparison_by_request_gives_what_is_shown(folder: Path, update_golden: bool) -> None:
    (request,) = [code for _, code in blocks() if "curl" in code]
    with Server(folder / "home") as server:
        run(request.replace("http://127.0.0.1:3000", server.url), folder / "home", folder)
    (reading,) = [code for _, code in blocks() if 'open("report.json")' in code]
    printed = run(reading, folder / "home", folder)
    if update_golden:
        show(READING, printed)
    assert printed == after(READING)

    (command,) = [code for kind, code in blocks() if kind == "sh" and "kpfootprint compare" in code]
    by_command = json.loads(run(command.rstrip() + " --format json", folder / "home", folder))
    assert by_command["report_id"] == json.loads((folder / "report.json").read_text(encoding="utf-8"))["report_id"]


@pytest.mark.parametrize("target", re.findall(r"\bmake (\w+)", (ROOT / "README.md").read_text(encoding="utf-8")))
def test_every_target_that_is_named_exists(target: str) -> None:
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    assert target in targets
