"""The researcher's commands: ``python -m training``."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from kpfootprint.cli.output import Command, form_option
from kpfootprint.cli.surroundings import asked_language, home, lang_option, release_folder, speak
from kpfootprint.errors import InputError, KPFootprintError, Problem
from kpfootprint.reference import shipped_reference
from kpfootprint.retold import SAID_AS, kept, retold, said_of
from training.config import DEFAULT, read_config

if TYPE_CHECKING:
    from kpfootprint.reference import ReferencePackage
    from training.package.remarks import Remark
    from training.progress import Progress


SHOWN = 100
"""Problems that are told as JSON."""
MODELS = Path(__file__).parents[1] / "models"
FOLDER = click.Path(path_type=Path)


reference_option = click.option(
    "--reference",
    type=FOLDER,
    default=shipped_reference,
    show_default=False,
    help="A package: folder, .zip or .xlsx; default: the one that comes along.",
)
config_option = click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=DEFAULT,
    show_default=False,
    help="Settings that differ from training/config.toml, in TOML.",
)


def work_options(command: Command) -> Command:
    """Add ``--jobs`` and ``--scheduler``."""
    jobs = click.option("--jobs", type=click.IntRange(1), default=2, show_default=True, help="Processes.")
    address = click.option("--scheduler", metavar="ADDRESS", default=None, help="A Dask scheduler, tcp://HOST:PORT.")
    return jobs(address(command))


@contextmanager
def at_work(command: str, jobs: int, scheduler: str | None) -> Iterator[Progress]:
    """Give the progress of a command, and run its tasks in processes or on a cluster meanwhile."""
    from training.progress import told, workers

    with workers(jobs, scheduler), told(lambda line: click.echo(line, err=True), command) as progress:
        yield progress


@click.group(
    help="Make reference packages and releases.",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
def main() -> None:
    """Group of all commands."""


@main.command(help="Begin a reference package: an empty, commented FOLDER to fill in; again, to seal it once filled.")
@click.argument("folder", type=FOLDER)
def init(folder: Path) -> None:
    """Write the skeleton of a package, or renew the hashes of one."""
    from training.package import DESCRIPTOR, init_package

    begun = not (folder / DESCRIPTOR).exists()
    init_package(folder)
    said = "fill in the tables, run init again, then" if begun else "sealed; now"
    click.echo(f"{folder}: {said}: python -m training validate --reference {folder}")


@main.command(help="Check a reference package whole; every problem is listed.")
@reference_option
@config_option
@form_option("text", "json")
@lang_option
def validate(reference: Path, config: Path, form: str, lang: str) -> None:  # noqa: ARG001  (`speak` has read lang)
    """List the problems of a package."""
    from kpfootprint.report.locale import words
    from kpfootprint.report.problems import checked_line

    with _problems_told(form, _in_every_language):
        package, found = _checked(reference, read_config(config).minimum_parcels)
    counted = {"n_parcels": len(package.batch), "n_zones": len(set(package.zone_of))}
    line = checked_line(str(reference), **counted, words=words(asked_language()))
    click.echo(json.dumps(counted | {"remarks": found}) if form == "json" else line)


@main.command(help="Check a file of settings, and show those that are not the usual ones.")
@config_option
@form_option("text", "json")
@lang_option
def settings(config: Path, form: str, lang: str) -> None:  # noqa: ARG001
    """List the problems of settings."""
    with _problems_told(form, lambda problem: {"said": kept(problem.reason)}):
        changed = read_config(config).changed
    lines = [f"{name} = {value}" for name, value in changed.items()]
    click.echo(
        json.dumps({"changed": changed}) if form == "json" else "\n".join(lines), nl=form == "json" or bool(lines)
    )


@contextmanager
def _problems_told(form: str, more: Callable[[Problem], dict[str, object]]) -> Iterator[None]:
    """Print problems, with more of each, as JSON where that is asked for, before they are told as of any command."""
    try:
        yield
    except InputError as error:
        if form == "json":
            told = [problem.as_dict() | more(problem) for problem in error.problems[:SHOWN]]
            click.echo(json.dumps({"problems": told}))
        raise


def _try_writing(folder: Path) -> None:
    """Write into a folder, and leave nothing: one that cannot be written is told before minutes of work."""
    new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass
    if new:
        folder.rmdir()


def _in_every_language(problem: Problem) -> dict[str, object]:
    """Return the reason of a problem in every language, for whoever tells of it elsewhere."""
    from kpfootprint.cli.surroundings import reason_in
    from kpfootprint.retold import LANGUAGES

    return {"reasons": {lang: reason_in(problem, lang) for lang in LANGUAGES}}


def _checked(reference: Path, minimum_parcels: int) -> tuple[ReferencePackage, list[Remark]]:
    """Load a package with two zones or more, and say what it leaves in doubt."""
    from kpfootprint.report.locale import words
    from kpfootprint.report.problems import remark_line
    from training.package import load_package
    from training.package.remarks import remarks
    from training.prepare import usable_zones

    package = load_package(reference)
    usable_zones(package, minimum_parcels)
    found = remarks(package, minimum_parcels, today=datetime.now(UTC).date())
    for remark in found:
        click.echo(remark_line(remark, words(asked_language())), err=True)
    return package, found


@main.command(help="Put two reference packages together.")
@click.argument("first", type=FOLDER)
@click.argument("second", type=FOLDER)
@click.option("--out", type=FOLDER, required=True)
def merge(first: Path, second: Path, out: Path) -> None:
    """Merge two packages."""
    from training.package import merge_packages

    merge_packages(first, second, out)
    click.echo(f"{out}: written")


@main.command(help="Write the samples of a published WORKBOOK of detrital zircons as a reference package.")
@click.argument("workbook", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--out", type=FOLDER, required=True)
def zircons(workbook: Path, out: Path) -> None:
    """Make a package of real grains."""
    from training.zircons import write_zircons

    parcels, zones = write_zircons(workbook, out)
    click.echo(f"{out}: {parcels} samples of {zones} units; to fit: python -m training fit --reference {out}")


@main.command(help="Fit and calibrate a model on a reference package; the folder serves as --model.")
@reference_option
@click.option("--out", type=FOLDER, required=True)
@work_options
@config_option
@click.option("--prior", metavar="RELEASE", help="Older release whose spread of parcels this one may lean on.")
@click.option("--name", default="unreleased", show_default=True, help="What it calls itself until it is released.")
@click.option("--asked-at", metavar="MOMENT", help="Moment that its manifest states; without one the same is the same.")
def fit(
    reference: Path,
    out: Path,
    jobs: int,
    scheduler: str | None,
    config: Path,
    prior: str | None,
    name: str,
    asked_at: str | None,
) -> None:
    """Fit a model."""
    settings = replace(read_config(config), n_jobs=jobs)
    if out.exists() and not out.is_dir():
        raise click.UsageError(f"--out {out} is a file; name a folder")
    from kpfootprint.release import load_release
    from training.fit import fit as fit_release
    from training.fit import write_fit
    from training.publish import card_of

    package, found = _checked(reference, settings.minimum_parcels)
    older = None if prior is None else load_release(_release(prior))
    _try_writing(out)
    with at_work("fit", jobs, scheduler) as progress:
        model, manifest = fit_release(package, settings, progress, older)
    manifest |= {"release": name, "remarks": found} | ({} if asked_at is None else {"asked_at": asked_at})
    write_fit(out, model, manifest, card_of(manifest))
    measure = f"python -m training evaluate --model {out} --reference {reference}"
    click.echo(f"{out}: fitted and calibrated; to measure it: {measure}")


@main.command(help="Measure a fitted folder or a release; writes evaluation.json and validation.html beside it.")
@click.option("--model", type=FOLDER, required=True)
@reference_option
@click.option("--quick", is_flag=True, help="Fewer folds, days and mixtures; cannot carry a release.")
@config_option
@work_options
def evaluate(model: Path, reference: Path, quick: bool, config: Path, jobs: int, scheduler: str | None) -> None:
    """Evaluate a model."""
    criteria = read_config(config).acceptance
    from training.evaluate.run import evaluate_model

    if model.is_dir():
        _try_writing(model)
    with at_work("evaluate", jobs, scheduler) as progress:
        report = evaluate_model(model, reference, quick=quick, n_jobs=jobs, progress=progress, criteria=criteria)
    click.echo(f"{report}: written")


@main.command()
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.option("--model", default=None, metavar="RELEASE", help="A and B are packages: compare them under this release.")
@reference_option
def compare(first: str, second: str, model: str | None, reference: Path) -> None:
    """Say what changed from A to B, parcel by parcel, and why.

    A and B are two releases (names or folders), compared on the parcels of --reference; or, with --model, two
    packages, compared under one release.
    """
    from training.compare import compare_packages, compare_releases

    if model is not None:
        text = compare_packages(Path(first), Path(second), _release(model))
    else:
        text = compare_releases(_release(first), _release(second), reference)
    click.echo(text, nl=False)


@main.command()
@reference_option
@click.option("--out", type=FOLDER, required=True, help="Folder for the table and one JSON a method.")
@click.option("--model", type=FOLDER, default=None, help="Release whose own row joins the table.")
def peers(reference: Path, out: Path, model: Path | None) -> None:
    """Measure the usual methods in the same harness."""
    from training.peers.beside import measure_peers

    click.echo(f"{measure_peers(reference, out, model, lambda line: click.echo(line, err=True))}: written")


def _release(name: str) -> Path:
    """Return the folder of a release, given by its name or by the folder itself."""
    if Path(name).is_dir():
        return Path(name)
    known = _releases()
    if name not in known:
        raise click.UsageError(f"there is no folder and no release {name!r}; there are: {', '.join(sorted(known))}")
    return known[name]


def _releases() -> dict[str, Path]:
    """Return the folder of every release that is here, by name."""
    folders = (MODELS, release_folder(None).parent, home() / "releases")
    return {path.parent.name: path.parent for folder in folders for path in folder.glob("*/manifest.json")}


@main.command(help="Judge an evaluated model against the release in force and copy it to models/; activates nothing.")
@click.option("--model", type=FOLDER, required=True)
@click.option("--name", default=None, help="Name of the release; default: the next of this year.")
@click.option("--models", type=FOLDER, default=MODELS, show_default=False, help="Folder of releases.")
@config_option
@click.option("--force", metavar="REASON", default=None, help="Release all the same; the reason stands in its card.")
def release(model: Path, name: str | None, models: Path, config: Path, force: str | None) -> None:
    """Release a model."""
    criteria = read_config(config).acceptance
    from kpfootprint.release import shipped_release
    from training.publish import publish

    in_force, here = release_folder(None), _releases()
    outcome = publish(model, models=models, in_force=in_force, criteria=criteria, known=here, name=name, force=force)
    for remark in outcome.judgement.remarks:
        click.echo(f"remark: {remark}", err=True)
    for reason in outcome.judgement.reasons:
        click.echo(f"against: {reason}", err=True)
    if outcome.folder is None:
        click.echo('not released; where it should be all the same: --force "REASON"', err=True)
        sys.exit(1)
    click.echo(f"{outcome.folder}: released; {in_force.name} stays in force")
    there = quote(str(home() / "releases"))
    known = {shipped_release().parent.resolve(), (home() / "releases").resolve()}
    copy = "" if models.resolve() in known else f"mkdir -p {there} && cp -r {quote(str(outcome.folder))} {there} && "
    click.echo(f'To put it in force: {copy}kpfootprint models activate {outcome.folder.name} --reason "..."')
    if copy:
        click.echo(f"To use it where it is: --model {quote(str(outcome.folder))}")


def run() -> None:
    """Run the commands; errors raised on purpose end with a sentence, not with a traceback."""
    speak(sys.argv[1:], main)
    try:
        main(standalone_mode=True)
    except InputError as error:
        from kpfootprint.cli.main import show_problems

        show_problems(error.problems, asked_language())
        sys.exit(2)
    except (KPFootprintError, ValueError, OSError) as error:
        said = said_of(error)
        shown = json.dumps(kept(said)) if os.environ.get(SAID_AS) == "json" else retold(said, asked_language())
        click.echo(shown, err=True)
        sys.exit(1)


if __name__ == "__main__":
    run()
