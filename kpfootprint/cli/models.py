"""``kpfootprint models``: which releases there are, which one is active, and how to change that."""

from __future__ import annotations

from pathlib import Path

import click

from kpfootprint.cli.surroundings import home, release_folder


def _releases() -> dict[str, Path]:
    """Return every release by name: those made over HTTP, and those that came with the package."""
    from kpfootprint.release import shipped_release

    shipped = shipped_release().parent
    folders = [*shipped.glob("*/manifest.json"), *(home() / "releases").glob("*/manifest.json")]
    return {path.parent.name: path.parent for path in sorted(folders)}


def _named(release: str) -> Path:
    found = _releases().get(release)
    if found is None:
        raise click.UsageError(f"there is no release {release!r}; there are: {', '.join(_releases())}")
    return found


@click.group(invoke_without_command=True)
@click.pass_context
def models(context: click.Context) -> None:
    """List, show and activate releases.

    Without a command: every release that is here, the active one marked with an asterisk.
    """
    if context.invoked_subcommand is not None:
        return
    active = release_folder(None).resolve()
    for name, folder in _releases().items():
        mark = "*" if folder.resolve() == active else " "
        click.echo(f"{mark} {name}  {folder}")


@models.command()
@click.argument("release")
def show(release: str) -> None:
    """Show the card of RELEASE, every file of it checked first."""
    from kpfootprint.release import load_release

    folder = _named(release)
    load_release(folder)
    click.echo((folder / "CARD.md").read_text(encoding="utf-8"), nl=False)
