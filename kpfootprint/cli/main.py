"""The command ``kpfootprint`` and its exit status: 0 done, 2 bad input, 3 a batch with bad parcels, 1 anything else."""

from __future__ import annotations

import io
import os
import shlex
import sys
from collections.abc import Sequence

import click

from kpfootprint import __version__
from kpfootprint.cli.examine import batch, compare, validate
from kpfootprint.cli.operate import backup, keys, models, register, restore, serve, worker
from kpfootprint.cli.output import say, tell
from kpfootprint.cli.planning import adequacy, drift, plan, pool, sorters, zones
from kpfootprint.cli.reports import beside, verify
from kpfootprint.cli.surroundings import asked_language, lang_option, problem_told, retold, speak
from kpfootprint.errors import IngestError, KPFootprintError, Problem, ReferenceDataError

BAD_INPUT = 2
BAD = frozenset({"backup", "invalid_report", "no_scheduler", "scheme_mismatch", "unfit_file"})
"""Codes of errors that tell of something given; those of problems are told one by one."""


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="kpfootprint")
def cli() -> None:
    """Compare parcels of rough diamonds with the footprints of the zones they are declared to come from.

    A report weighs what was declared against "from elsewhere" and says how sure that is.
    """


for command in (
    *(compare, beside, sorters, verify, batch, validate, plan, adequacy, pool, drift, zones, models, keys, serve),
    *(worker, register, backup, restore),
):
    cli.add_command(command)


def _speaks(command: click.Command) -> None:
    """Let a command, and those below it, be asked in a language, which `speak` reads before anything else."""
    if all(item.name != "lang" for item in command.params):
        lang_option(command)
        command.params[-1].expose_value = False
    for item in command.commands.values() if isinstance(command, click.Group) else ():
        _speaks(item)


_speaks(cli)


def show_problems(problems: Sequence[Problem], lang: str) -> None:
    """Write every problem on standard error, one a line, how to answer a question, and how many there are."""
    from kpfootprint.report.locale import words
    from kpfootprint.report.problems import count_line

    for problem in problems:
        say(problem_told(problem, lang), err=True)
        for question, answer in problem.values.get("choices", ()):
            answered = shlex.quote(f"{question}={answer}")
            tell("  choose with: --choose {answered}", err=True, answered=answered)
    hidden = [int(item.values["count"]) - 1 for item in problems if item.code == "more_problems"]
    say(count_line(len(problems) + sum(hidden), words(lang)), err=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit status; what goes wrong is told in lines, never as a traceback."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # several would wait for each other over matrices so small
    speak(sys.argv[1:] if arguments is None else arguments, cli)
    try:
        status = cli.main(args=arguments, prog_name="kpfootprint", standalone_mode=False)
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(file=shown)
        say(shown.getvalue().rstrip("\n"), err=True)
        sys.exit(error.exit_code)
    except click.Abort:
        tell("Stopped; nothing was written.", err=True)
        sys.exit(1)
    except (IngestError, ReferenceDataError) as error:
        show_problems(error.problems, asked_language())
        sys.exit(BAD_INPUT)
    except BrokenPipeError:  # whoever read the output has seen enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except (KPFootprintError, OSError) as error:
        tell("Error: {error}", err=True, error=retold(error))
        sys.exit(BAD_INPUT if getattr(error, "code", "") in BAD else 1)
    except MemoryError:
        tell("Error: there is not enough memory for this; nothing was written.", err=True)
        sys.exit(1)
    sys.exit(status if isinstance(status, int) else 0)
