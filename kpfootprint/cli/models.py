"""``kpfootprint models``: which releases there are, which one is active, and how to change that."""

from __future__ import annotations

from pathlib import Path

import click

from kpfootprint.cli.output import say
from kpfootprint.cli.surroundings import home, release_folder, settings

ACTOR = "command line"


def _named(release: str) -> Path:
    from service.register.activations import release_folders

    folders = release_folders(home())
    if release not in folders:
        raise click.UsageError(f"there is no release {release!r}; there are: {', '.join(folders)}")
    return folders[release]


@click.group(invoke_without_command=True)
@click.pass_context
def models(context: click.Context) -> None:
    """List, show and activate releases.

    Without a command: every release that is here, the active one marked with an asterisk.
    """
    if context.invoked_subcommand is not None:
        return
    from service.register.activations import release_folders

    active = release_folder(None).resolve()
    for name, folder in release_folders(home()).items():
        say(f"{'*' if folder.resolve() == active else ' '} {name}  {folder}")


@models.command()
@click.argument("release")
def show(release: str) -> None:
    """Show the card of RELEASE, every file of it checked first."""
    from kpfootprint.release import load_release

    folder = _named(release)
    card = load_release(folder).card
    say(card.rstrip("\n"))


@models.command()
@click.argument("release")
def activate(release: str) -> None:
    """Make RELEASE the one that everything uses from now on, every file of it checked and parcels tried first."""
    from kpfootprint.release import load_release
    from kpfootprint.trial import try_release

    try_release(load_release(_named(release)))
    _put_in_force(release)


@models.command()
def rollback() -> None:
    """Go back to the release that was active before."""
    from kpfootprint.release import load_release
    from kpfootprint.trial import try_release
    from service.register.activations import before_the_last
    from service.register.database import open_register

    engine = open_register(settings())
    before = before_the_last(engine)
    engine.dispose()
    if before is None:
        raise click.UsageError("no other release was active before")
    try_release(load_release(_named(before)))
    _put_in_force(before, back=True)


def _put_in_force(release: str, *, back: bool = False) -> None:
    from service.register.activations import activate as record
    from service.register.database import open_register

    engine = open_register(settings())
    record(engine, release, ACTOR, back=back)
    engine.dispose()
    click.echo(f"{release} is active.")
