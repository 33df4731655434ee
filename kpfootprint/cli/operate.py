"""``kpfootprint serve`` and ``keys``: the service and who may use it."""

from __future__ import annotations

from pathlib import Path

import click

from kpfootprint.cli.output import say, tell
from kpfootprint.cli.surroundings import model_option, now, retold, settings, told


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
    from service.launch import serve as launch

    given = settings()
    given = given.model_copy(update={"workers": workers, "model": model or given.model})
    launch(given, host, port, worker=not no_worker, told=retold)


@click.command()
@model_option
def worker(model: Path | None) -> None:
    """Take jobs from the register's queue, one after another, until stopped.

    Several may run at once, on several machines where the register is on PostgreSQL. A worker that is killed leaves
    its job to the next one, which goes on where it was.
    """
    from service.jobs.worker import run_worker

    given = settings()
    run_worker(given.model_copy(update={"model": model or given.model}))


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
