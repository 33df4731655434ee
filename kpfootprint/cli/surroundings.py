"""What only the command line may ask: what time it is, where things are kept, which release is in force."""

from __future__ import annotations

import gettext
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kpfootprint.retold import LANGUAGES, catalogue

if TYPE_CHECKING:
    from kpfootprint.errors import Problem
    from kpfootprint.release import Release
    from service.settings import Settings
    from service.work.place import Workplace


def now() -> datetime:
    """Return the present moment in UTC, to the second; its date is "today" for zones and for parcels without one."""
    from service.clock import this_second

    return this_second()


def home() -> Path:
    """Return the folder of the register and of the releases made over HTTP: KPF_HOME or its default."""
    from service import HOME_DEFAULT

    return Path(os.environ.get("KPF_HOME") or HOME_DEFAULT).expanduser()


def settings(model: Path | None = None) -> Settings:
    """Return every setting of the surroundings, but for a release that is named; faulty ones are bad input."""
    from service.settings import SettingError, read_settings

    try:
        given = read_settings()
    except SettingError as error:
        raise click.UsageError("; ".join(map(retold, error.faults))) from None
    return given.model_copy(update={"model": model or given.model})


@contextmanager
def at_work(model: Path | None = None) -> Iterator[Workplace]:
    """Give the place where the service does its work; what is refused there is told in a sentence."""
    from service.errors import Refused
    from service.pages.problems import Teller
    from service.work.place import Workplace

    work = Workplace(settings(model))
    try:
        yield work
    except Refused as refused:
        raise click.ClickException(Teller(asked_language()).refused(refused)) from None
    finally:
        work.close()


model_option = click.option(
    "--model",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    envvar="KPF_MODEL",
    metavar="FOLDER",
    help="Release to use instead of the active one (or KPF_MODEL).",
)
lang_option = click.option(
    "--lang",
    type=click.Choice(LANGUAGES),
    default=lambda: asked_language(),
    help="Language of texts; that of the surroundings otherwise.",
)

ACTOR = "command line"
"""Who is said to have done what was done here."""

LOCALES = Path(__file__).parent / "locale"
COMMANDS = LOCALES / "fr" / "LC_MESSAGES" / "commands.po"
_SPOKEN: list[gettext.NullTranslations] = [gettext.NullTranslations()]
_ENGLISH: dict[click.Command | click.Option, str] = {}
"""Help as it was written, of what was once told in another language."""


def speak(arguments: Sequence[str], cli: click.Command) -> None:
    """Speak the language of ``--lang``, or else of the surroundings: click's own messages, ours, and every help."""
    said = [b for a, b in zip((*arguments, ""), (*arguments[1:], "", ""), strict=False) if a == "--lang"]
    said += [item.removeprefix("--lang=") for item in arguments if item.startswith("--lang=")]
    around = next(filter(None, map(os.environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    french = "fr" in said if said else around.startswith("fr")
    gettext.bindtextdomain("click", LOCALES)
    gettext.textdomain("click" if french else "messages")
    if french:
        os.environ["LANGUAGE"] = "fr"  # which gettext asks
    _SPOKEN[0] = catalogue(COMMANDS, "fr" if french else "en")
    _tell_help(cli)


def told(message: str, **values: object) -> str:
    """Return a message of our own, in English here, in the language that the command was asked to speak."""
    return _SPOKEN[0].gettext(message).format(**values)


def retold(said: object) -> str:
    """Return a sentence of the library, or what an error says, in the language that the command was asked to speak."""
    from kpfootprint.retold import retold as told_again

    return told_again(said, asked_language())


def asked_language() -> str:
    """Return the language that the command was asked to speak."""
    return "fr" if isinstance(_SPOKEN[0], gettext.GNUTranslations) else "en"


def paragraphs(text: str) -> list[str]:
    """Return the paragraphs of a help, each on one line: the messages of its translation."""
    return [" ".join(part.split()) for part in text.split("\n\n") if part.strip()]


def _tell_help(command: click.Command) -> None:
    for item in helped(command):
        if english := _ENGLISH.setdefault(item, item.help or ""):
            said = [*map(_SPOKEN[0].gettext, paragraphs(english))]
            item.help = "\n\n".join(said)
            if isinstance(item, click.Command):
                item.short_help = said[0]  # a list of commands wraps it, where click alone would cut it off


def helped(command: click.Command) -> Iterator[click.Command | click.Option]:
    """Yield a command, its options and everything below it: whatever has a help."""
    yield command
    yield from (option for option in command.params if isinstance(option, click.Option))
    for inner in command.commands.values() if isinstance(command, click.Group) else ():
        yield from helped(inner)


def release_folder(model: Path | None) -> Path:
    """Return the folder of ``--model``, or of the last activation in the register, or of the shipped release."""
    from kpfootprint.release import shipped_release

    if model is not None:
        return model
    if os.environ.get("KPF_DATABASE_URL") or (home() / "register.db").exists():
        from service.register.activations import folder_in_force
        from service.register.opening import opened

        with opened(given := settings()) as engine:
            return folder_in_force(engine, given.home)
    return shipped_release()


OPENED: list[Release] = []
"""The release that was opened last, whose names of classes what goes wrong is told in."""


def open_release(model: Path | None) -> Release:
    """Load the release in force, every file checked against its manifest first."""
    from kpfootprint.release import load_release

    opened = load_release(release_folder(model))
    OPENED[:] = [opened]
    return opened


def reason_in(problem: Problem, lang: str) -> str:
    """Return what is wrong in a language."""
    from service.pages.problems import Teller

    return Teller(lang, OPENED[0].scheme if OPENED else None).told(problem)


def problem_told(problem: Problem, lang: str) -> str:
    """Return a problem in one line, in a language."""
    from kpfootprint.report.locale import words
    from kpfootprint.report.problems import problem_line

    return str(problem) if lang == "en" else problem_line(problem, reason_in(problem, lang), words(lang))
