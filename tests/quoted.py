"""Writes what the documentation quotes: ``make docs``. Tests only compare; they never write a page.

README.md shows what its commands print, docs/method.md the table of the shipped release, docs/glossary.md the terms
that reports use.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path

from kpfootprint.release import shipped_release
from kpfootprint.report.glossary import glossary
from kpfootprint.report.locale import words
from tests.measured import measured_table
from tests.service.server import Server
from tests.source import ROOT
from training.record import read_evaluation

README, METHOD, GLOSSARY = ROOT / "README.md", ROOT / "docs" / "method.md", ROOT / "docs" / "glossary.md"
COMMAND, READING = ".venv/bin/kpfootprint compare", ".venv/bin/python -c"
"""How the commands of README begin whose output it shows."""

_BLOCK = re.compile(r"^```(sh|text)\n(.*?)^```$", re.M | re.S)
_TABLE = re.compile(r"\| what \| measured \|\n(?:\|.*\n)+")


def blocks() -> list[tuple[str, str]]:
    """Return the fenced blocks of README, in order, as (language, text)."""
    return _BLOCK.findall(README.read_text(encoding="utf-8"))


def shown_after(start: str) -> str:
    """Return the output that README shows after the commands that begin so."""
    outputs = [later for earlier, later in pairwise(blocks()) if earlier[1].startswith(start)]
    (shown,) = [output for kind, output in outputs if kind == "text"]
    return shown


def run(code: str, home: Path, folder: Path) -> str:
    """Run shell commands of README with this interpreter's programs; return what they print."""
    code = code.replace(".venv/bin/python", sys.executable).replace(
        ".venv/bin/kpfootprint", f"{sys.executable} -m kpfootprint"
    )
    given = os.environ | {"KPF_HOME": str(home), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(["bash", "-euc", code], cwd=folder, env=given, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"a command of README fails:\n{code}\n{done.stderr}")
    return done.stdout


def glossary_markdown() -> str:
    """Return the text of ``docs/glossary.md``: the glossary in every language."""
    parts = [
        "# Glossary",
        "Every term a report uses, in English and in French. Reports carry the same texts; "
        "both come from `kpfootprint/report/catalogues/`.",
    ]
    for lang, heading in (("en", "English"), ("fr", "Fran\u00e7ais")):
        parts.append(f"## {heading}")
        parts += [f'<a id="{lang}-{term.key}"></a>**{term.term}**\n: {term.meaning}' for term in glossary(words(lang))]
    return "\n\n".join(parts) + "\n"


def printed_by_command(folder: Path) -> str:
    """Run the comparison on the command line that README shows, in a folder that holds the examples."""
    (command,) = [code for kind, code in blocks() if kind == "sh" and "kpfootprint compare" in code]
    return run(command, folder / "home", folder)


def printed_by_request(folder: Path) -> str:
    """Send the request that README shows to a server, and read the answer as README does."""
    (request,) = [code for _, code in blocks() if "curl" in code]
    with Server(folder / "home", "--no-worker") as server:
        run(request.replace("http://127.0.0.1:3000", server.url), folder / "home", folder)
    (reading,) = [code for _, code in blocks() if 'open("report.json")' in code]
    return run(reading, folder / "home", folder)


def _show(start: str, output: str) -> None:
    block = re.compile(rf"(^```sh\n{re.escape(start)}.*?^```\n.*?^```text\n).*?(^```$)", re.M | re.S)
    text = block.sub(lambda found: found[1] + output + found[2], README.read_text(encoding="utf-8"), count=1)
    README.write_text(text, encoding="utf-8")


def write_readme() -> None:
    """Write what the commands of README print after them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "examples").symlink_to(ROOT / "examples")
        printed = printed_by_command(folder)
        _show(COMMAND, printed[: printed.index("What was declared\n")].rstrip() + "\n...\n")
        _show(READING, printed_by_request(folder))


def write_method() -> None:
    """Write the table of the shipped release, and its name."""
    release = shipped_release()
    page = _TABLE.sub(lambda _: measured_table(read_evaluation(release)), METHOD.read_text(encoding="utf-8"))
    named = f"Release {release.name} (`models/{release.name}/evaluation.json`)"
    METHOD.write_text(re.sub(r"Release \S+ \(`models/[^`]+`\)", lambda _: named, page), encoding="utf-8")


def main() -> None:
    """Write every page."""
    GLOSSARY.write_text(glossary_markdown(), encoding="utf-8")
    write_method()
    write_readme()


if __name__ == "__main__":
    main()
