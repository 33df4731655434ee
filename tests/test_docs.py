"""The docs cannot lie: every command, option, setting, route and error code stands in them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click

from kpfootprint import errors
from kpfootprint.cli.main import cli
from kpfootprint.ingest import RULES
from service.door.endpoint import Endpoint
from service.endpoints import ENDPOINTS
from service.errors import KINDS
from service.settings import PREFIX, Settings
from tests.every import every
from tests.source import ROOT, files
from training.__main__ import main as training

DOCS = ROOT / "docs"


def text(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def everything() -> str:
    pages = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
    return "\n".join(page.read_text(encoding="utf-8") for page in pages)


def commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        yield f"{path} {name}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")


COMMANDS = [*commands(cli, "kpfootprint"), *commands(training, "python -m training")]


def section(path: str) -> str:
    """Return the part of the command line's page about a command (a command of a group stands in the group's)."""
    top = "python -m training" if path.startswith("python") else " ".join(path.split()[:2])
    parts = [part for part in re.split(r"^## ", text("cli.md"), flags=re.M) if re.match(rf"{top}\b", part)]
    assert len(parts) == 1, f"docs/cli.md has no section {top!r}"
    return parts[0]


@every("path, command", COMMANDS)
def test_every_command_and_option_is_documented_and_has_help(path: str, command: click.Command) -> None:
    about = section(path)
    everywhere = text("cli.md").partition("\n## ")[0]
    assert path in about
    assert command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.opts[-1] in about + everywhere, f"{path} {parameter.opts[-1]}"


@every("path, command", commands(cli, "kpfootprint"))
def test_every_option_has_help(path: str, command: click.Command) -> None:
    assert [p.name for p in command.params if isinstance(p, click.Option) and not p.help] == []


def settings() -> list[str]:
    """Return every KPF_ name that the code mentions."""
    code = [
        path.read_text(encoding="utf-8") for folder in ("kpfootprint", "service", "training") for path in files(folder)
    ]
    named = {name for source in code for name in re.findall(r"\bKPF_[A-Z][A-Z_]+[A-Z]\b", source)}
    return sorted(named | {PREFIX + name.upper() for name in Settings.model_fields})


def test_every_setting_is_documented() -> None:
    documented = everything()
    assert settings()
    assert [name for name in settings() if f"`{name}`" not in documented] == []


def test_every_error_code_is_documented() -> None:
    raised = [e for e in vars(errors).values() if isinstance(e, type) and issubclass(e, errors.KPFootprintError)]
    codes = {e.code for e in raised if e is not errors.KPFootprintError}
    documented = everything()
    assert sorted(code for code in codes | set(RULES) | set(KINDS) if f"`{code}`" not in documented) == []


@every("endpoint", ENDPOINTS)
def test_every_route_is_documented(endpoint: Endpoint) -> None:
    about = [line for line in text("http.md").splitlines() if endpoint.path in line and endpoint.method in line]
    assert about


def test_links_between_pages_lead_somewhere() -> None:
    broken = []
    for page in [ROOT / "README.md", ROOT / "CHANGELOG.md", *DOCS.glob("*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
            if "://" not in target and not (page.parent / target).exists():
                broken.append(f"{page.name}: {target}")
    assert broken == []


def test_every_test_that_is_named_is_there() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", everything())
    assert named
    missing = [f"{path}::{name}" for path, name in named if f"def {name}(" not in (ROOT / path).read_text("utf-8")]
    assert missing == []
