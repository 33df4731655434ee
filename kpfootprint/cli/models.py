"""``kpfootprint models``: which releases there are, which one is active, and how to change that."""

from __future__ import annotations

from pathlib import Path

import click

from kpfootprint.cli.output import say, tell
from kpfootprint.cli.surroundings import ACTOR, at_work, home, release_folder, told


def _named(release: str) -> Path:
    from service.register.activations import release_folders

    folders = release_folders(home())
    if release not in folders:
        raise click.UsageError(
            told("there is no release {release}; there are: {known}", release=repr(release), known=", ".join(folders))
        )
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

    say(load_release(_named(release)).card.rstrip("\n"))


@models.command()
@click.argument("release")
@click.option("--reason", default="", help="Why; stands in the history.")
@click.option("--force", metavar="REASON", default=None, help="Activate what was not judged, for this reason.")
def activate(release: str, reason: str, force: str | None) -> None:
    """Make RELEASE the one that everything uses from now on, every file of it checked and parcels tried first."""
    _named(release)
    from service.work.releases import activate as put_in_force

    with at_work() as work:
        done = put_in_force(work, release, reason=reason, force=force, actor=ACTOR)
    tell("{release} is active.", release=done.release)


@models.command()
@click.option("--reason", default="", help="Why; stands in the history.")
def rollback(reason: str) -> None:
    """Go back to the release that was active before."""
    from service.register.activations import before_the_last
    from service.work.releases import roll_back

    with at_work() as work:
        if before_the_last(work.engine) is None:
            raise click.UsageError(told("no other release was active before"))
        done = roll_back(work, reason=reason, actor=ACTOR)
    tell("{release} is active.", release=done.release)


@models.command()
def history() -> None:
    """List what was in force when, by whom and why; the oldest first."""
    from service.clock import written
    from service.register.activations import activations, first_in_force

    with at_work() as work:
        past = activations(work.engine)
        beginning = told("from the beginning")
        say(f"{beginning:<20}  {first_in_force(past)}")
        for item in past:
            back = " " + told("(gone back to)") if item.back else ""
            say(f"{written(item.at)}  {item.release}{back}  {item.actor}  {item.reason}".rstrip())
