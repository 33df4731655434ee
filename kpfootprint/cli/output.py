"""Where results go: a terminal that is told nothing it would obey, or a file that is replaced whole or not at all."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeVar

import click

from kpfootprint.cli.surroundings import told
from kpfootprint.visible import visible

if TYPE_CHECKING:
    from kpfootprint.report.blocks import Document

Command = TypeVar("Command", bound=Callable[..., object])


def say(text: str, *, err: bool = False) -> None:
    """Write a line; characters that a terminal would obey, or nobody could see, are written out."""
    click.echo(visible(text), err=err)


def tell(message: str, *, err: bool = False, **values: object) -> None:
    """Write a line that is a message of our own, in the language that the command was asked to speak."""
    say(told(message, **values), err=err)


def _checked(_context: click.Context, _parameter: click.Parameter, out: Path | None) -> Path | None:
    if out is None or str(out) == "-":
        return None
    out = out.resolve()
    if not out.parent.is_dir():
        raise click.BadParameter(told("folder {folder} does not exist", folder=repr(str(out.parent))))
    return out


out_option = click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path, allow_dash=True),
    callback=_checked,
    metavar="FILE",
    help="File to replace with the result; standard output otherwise.",
)
"""A folder that does not exist is refused before any work."""


def form_option(*forms: str, default: str = "text", help: str | None = None) -> Callable[[Command], Command]:  # noqa: A002
    """Return the option of which form is written."""
    chosen = click.Choice(forms)
    return click.option("--format", "form", type=chosen, default=default, show_default=True, help=help)


def refuse_terminal(kind: str, out: Path | None) -> None:
    """Refuse to write bytes that no terminal can show."""
    if out is None and sys.stdout.isatty():
        raise click.UsageError(
            told("a {kind} cannot be shown in a terminal: add --out FILE, or send it into a pipe", kind=kind)
        )


def drawn(document: Document, form: str) -> bytes:
    """Return a document that was laid out as a page (``html``), as ``pdf`` or as ``text``."""
    if form == "html":
        from kpfootprint.report.html import render_document

        return render_document(document).encode()
    if form == "pdf":
        from kpfootprint.report.pdf import document_pdf

        return document_pdf(document)
    from kpfootprint.report.text import document_text

    return document_text(document).encode()


@contextmanager
def writing(out: Path | None) -> Iterator[IO[bytes]]:
    """Give a stream to write to; where it is a file, it takes its place only when all has been written."""
    if out is None:
        stream = sys.stdout.buffer
        yield stream
        stream.flush()
        return
    if out.exists() and not out.is_file():  # a pipe or a device is written to, never replaced
        with out.open("wb") as stream:
            yield stream
        return
    handle, name = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.")
    draft = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        draft.chmod(_mode(out))
        draft.replace(out)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _mode(out: Path) -> int:
    """Return the permissions of the file that is replaced, or those of a new file."""
    if out.exists():
        return stat.S_IMODE(out.stat().st_mode)
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask
