"""The researcher's commands: ``python -m training``."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import click

from kpfootprint.errors import KPFootprintError, ReferenceDataError
from kpfootprint.reference import shipped_reference

MODELS = Path(__file__).parents[1] / "models"
FOLDER = click.Path(path_type=Path)


@click.group(help="Make reference packages and releases.")
def main() -> None:
    """Group of all commands."""


@main.command(help="Begin a reference package: an empty, commented FOLDER to fill in.")
@click.argument("folder", type=FOLDER)
def init(folder: Path) -> None:
    """Write the skeleton of a package."""
    from training.package import init_package

    init_package(folder)
    click.echo(f"{folder}: fill in the tables, then: python -m training validate --reference {folder}")


@main.command(help="Check a reference package whole; every problem is listed.")
@click.option("--reference", type=FOLDER, required=True)
def validate(reference: Path) -> None:
    """List the problems of a package."""
    from training.package import validate_package

    problems = validate_package(reference)
    for problem in problems:
        click.echo(str(problem), err=True)
    if problems:
        sys.exit(2)
    click.echo(f"{reference}: no problem found")


@main.command(help="Put two reference packages together.")
@click.argument("first", type=FOLDER)
@click.argument("second", type=FOLDER)
@click.option("--out", type=FOLDER, required=True)
def merge(first: Path, second: Path, out: Path) -> None:
    """Merge two packages."""
    from training.package import merge_packages

    merge_packages(first, second, out)
    click.echo(f"{out}: written")


@main.command(help="Fit and calibrate a model on a reference package; the folder serves as --model.")
@click.option("--reference", type=FOLDER, default=shipped_reference, help="Default: the package that comes along.")
@click.option("--out", type=FOLDER, required=True)
@click.option("--jobs", type=click.IntRange(1), default=2, show_default=True, help="Processes.")
@click.option("--config", type=FOLDER, default=None, help="Settings; default: training/config.toml.")
def fit(reference: Path, out: Path, jobs: int, config: Path | None) -> None:
    """Fit a model."""
    from training.card import card_of
    from training.config import DEFAULT, read_config
    from training.fit import fit as fit_release
    from training.fit import write_fit
    from training.package import load_package

    settings = replace(read_config(config or DEFAULT), n_jobs=jobs)
    model, manifest = fit_release(load_package(reference), settings, lambda line: click.echo(line, err=True))
    write_fit(out, model, manifest, card_of(manifest))
    click.echo(f"{out}: fitted and calibrated")


@main.command(help="Measure a fitted folder or a release; writes evaluation.json and validation.html beside it.")
@click.option("--model", type=FOLDER, required=True)
@click.option("--reference", type=FOLDER, default=shipped_reference)
@click.option("--quick", is_flag=True, help="Fewer folds, days and mixtures; cannot carry a release.")
@click.option("--jobs", type=click.IntRange(1), default=2, show_default=True, help="Processes.")
def evaluate(model: Path, reference: Path, quick: bool, jobs: int) -> None:
    """Evaluate a model."""
    from training.evaluate.run import evaluate_model

    report = evaluate_model(
        model, reference, quick=quick, n_jobs=jobs, progress=lambda line: click.echo(line, err=True)
    )
    click.echo(f"{report}: written")


@main.command(help="Compare two releases on the reference parcels that both were measured on.")
@click.argument("first", type=FOLDER)
@click.argument("second", type=FOLDER)
def compare(first: Path, second: Path) -> None:
    """Compare two evaluations."""
    from training.judge import compare as compare_releases

    click.echo(compare_releases(first, second).as_text())


@main.command(help="Judge an evaluated model and copy it to models/.")
@click.option("--model", type=FOLDER, required=True)
@click.option("--name", default=None, help="Name of the release; default: the next of this year.")
@click.option("--models", type=FOLDER, default=MODELS, show_default=False, help="Folder of releases.")
@click.option(
    "--force", metavar="REASON", default=None, help="Release all the same; the reason stands in the manifest."
)
def release(model: Path, name: str | None, models: Path, force: str | None) -> None:
    """Release a model."""
    from training.publish import publish

    outcome = publish(model, models=models, name=name, force=force)
    for remark in outcome.judgement.remarks:
        click.echo(f"remark: {remark}", err=True)
    for reason in outcome.judgement.reasons:
        click.echo(f"against: {reason}", err=True)
    if outcome.folder is None:
        click.echo("not released", err=True)
        sys.exit(1)
    click.echo(f"{outcome.folder}: released")


def run() -> None:
    """Run the commands; errors raised on purpose end with a sentence, not with a traceback."""
    try:
        main(standalone_mode=True)
    except ReferenceDataError as error:
        for problem in error.problems:
            click.echo(str(problem), err=True)
        sys.exit(2)
    except (KPFootprintError, ValueError, OSError) as error:
        click.echo(str(error), err=True)
        sys.exit(1)


if __name__ == "__main__":
    run()
