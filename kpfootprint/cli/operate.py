"""``kpfootprint serve``, ``worker``, ``keys``, ``models``, ``register``, ``backup``, ``restore``: run the service."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from kpfootprint.bounded import open_plain
from kpfootprint.cli.output import form_option, out_option, say, tell, writing
from kpfootprint.cli.surroundings import ACTOR, at_work, home, model_option, now, release_folder, retold, settings, told


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, metavar="IP", help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True, help="Port to listen on.")
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Processes that answer requests.")
@click.option(
    "--no-worker", is_flag=True, help="Take no jobs here: kpfootprint worker does, on this machine or another."
)
@model_option
def serve(host: str, port: int, workers: int, no_worker: bool, model: Path | None) -> None:
    """Start the service and print the address to open."""
    if sys.stderr.isatty():  # somebody waits while what follows is imported
        tell("Starting; it takes a few seconds.", err=True)
    from service.launch import serve as launch

    given = settings(model).model_copy(update={"workers": workers})
    launch(given, host, port, worker=not no_worker, told=retold)


@click.command()
@model_option
def worker(model: Path | None) -> None:
    """Take jobs from the register's queue, one after another, until stopped.

    Several may run at once, on several machines where the register is on PostgreSQL. A worker that is killed leaves
    its job to the next one, which goes on where it was.
    """
    from service.jobs.worker import run_worker

    run_worker(settings(model))


@click.group()
def keys() -> None:
    """Make, list and revoke the keys that open the service."""


@keys.command()
@click.option("--role", metavar="ROLE", required=True, help="viewer, monitor, researcher or admin: each may do more.")
@click.option("--name", default="", metavar="NAME", help="Whose key it is, for the list.")
@click.option("--days", type=click.IntRange(1), metavar="N", help="Days until it expires; without it, it does not.")
def create(role: str, name: str, days: int | None) -> None:
    """Make a key and print it alone; it is kept hashed and cannot be shown again."""
    from datetime import timedelta

    from service.register.keys import BadKey, create_key

    expires_at = None if days is None else now() + timedelta(days=days)
    try:
        click.echo(create_key(settings(), role, name, expires_at))
    except BadKey as error:
        raise click.UsageError(retold(error)) from None


@keys.command(name="list")
def list_() -> None:
    """List the keys: id, role, when made, whether in use and until when, name."""
    from service.register.keys import all_keys
    from service.register.opening import opened

    with opened(settings()) as engine:
        found = all_keys(engine)
    for key in found:
        state = told("in use") if key.expires_at is None else told("until {day}", day=f"{key.expires_at:%Y-%m-%d}")
        state = told("revoked {day}", day=f"{key.revoked_at:%Y-%m-%d}") if key.revoked_at else state
        say(f"{key.id}  {key.role:<10}  {key.created_at:%Y-%m-%d}  {state:<18}  {key.name}".rstrip())


@keys.command(name="revoke")
@click.argument("key_id", metavar="ID")
def revoke_(key_id: str) -> None:
    """Revoke the key of that ID; requests with it are refused from now on."""
    from service.register.keys import revoke
    from service.register.opening import opened

    with opened(settings()) as engine:
        if not revoke(engine, key_id):
            raise click.UsageError(told("there is no key {key}", key=repr(key_id)))
    tell("{key} is revoked.", err=True, key=key_id)


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


@click.group()
def register() -> None:
    """Verify, export and import the register, and forget names."""


@register.command()
@click.option("--head", metavar="HASH", help="Hash of the register's head as it was kept elsewhere, on paper perhaps.")
def verify(head: str | None) -> int:
    """Walk the chain of the register and say whether anything was changed, removed or put in."""
    from service.register.opening import opened, refuse_unguarded
    from service.register.verify import verify as walk

    with opened(settings(), to_be_verified=True) as engine:
        verdict = walk(engine, head)
        if verdict.wrong is None:
            refuse_unguarded(engine)
    if verdict.wrong is not None:
        tell("Position {place} is wrong: {reason}.", err=True, place=verdict.wrong, reason=retold(verdict.reason))
        return 1
    tell("{count} entries, whole and in order. Head {head}", count=verdict.entries, head=verdict.hash)
    return 0


@register.command()
@form_option("csv", "jsonl", default="jsonl", help="Form.")
@out_option
def export(form: str, out: Path | None) -> None:
    """Write every entry: JSON Lines that another register takes in, or CSV for a spreadsheet."""
    from service.register.backup import exported
    from service.register.opening import opened

    with opened(settings()) as engine, writing(out) as stream:
        for line in exported(engine, form):
            stream.write(line.encode())


@register.command(name="import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_(file: Path) -> None:
    """Take in the JSON Lines that another register exported; nothing is taken twice."""
    from service.work.take_in import take_in

    with open_plain(file) as stream, at_work() as work:
        taken, left = take_in(work, stream.read(), actor=ACTOR)
    tell(
        "{taken} entries taken in; {left} were here already, or are this register's own affair.",
        err=True,
        taken=taken,
        left=left,
    )


@register.command()
@click.argument("name")
def forget(name: str) -> None:
    """Forget the NAME of a person or of a key; entries keep a pseudonym that nothing leads back from."""
    from service.register import people
    from service.register.opening import opened

    with opened(settings()) as engine:
        known = people.names_of_actors(engine)
        found = [name] if name in known else [actor for actor, called in known.items() if called == name]
        if not found:
            raise click.UsageError(told("nobody is called {name} here", name=repr(name)))
        if len(found) > 1:
            raise click.UsageError(
                told("{name} is the name of {actors}: say which one", name=repr(name), actors=", ".join(found))
            )
        people.forget(engine, found[0])
    tell(
        "Forgotten; what was done stays, as {actor}'s. Backups made before still hold the name.",
        err=True,
        actor=found[0],
    )


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path) -> None:
    """Write the whole register, and the releases made here, into FILE; the service may go on meanwhile."""
    from service.register.backup import backed_up

    if not file.resolve().parent.is_dir():
        raise click.UsageError(told("folder {folder} does not exist", folder=repr(str(file.resolve().parent))))
    tell("{count} entries are in {file}.", err=True, count=backed_up(settings(), file), file=file)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def restore(file: Path) -> int:
    """Fill an empty register from FILE, and walk its chain."""
    from service.register.backup import restore as fill

    with open_plain(file) as stream:
        verdict = fill(settings(), stream)
    if verdict.wrong is not None:
        wrong = {"place": verdict.wrong, "reason": retold(verdict.reason)}
        tell("Restored, and position {place} is wrong: {reason}.", err=True, **wrong)
        return 1
    tell("{count} entries restored, whole and in order.", err=True, count=verdict.entries)
    return 0
