"""``kpfootprint register``, ``backup`` and ``restore``: what was acknowledged, walked, taken away and brought back."""

from __future__ import annotations

from pathlib import Path

import click

from kpfootprint.bounded import open_plain
from kpfootprint.cli.output import form_option, out_option, tell, writing
from kpfootprint.cli.surroundings import ACTOR, at_work, retold, settings, told


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
