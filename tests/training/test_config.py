"""Settings: a part is enough, and what does not fit is told at once by name, value and reason."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from kpfootprint.cli.surroundings import reason_in
from tests.every import every
from training.config import DEFAULT, ConfigError, parse_config, read_config


def test_the_defaults_are_the_file() -> None:
    config, document = read_config(), tomllib.loads(DEFAULT.read_text("utf-8"))
    assert (config.seed, config.n_simulated) == (document["fit"]["seed"], document["fit"]["n_simulated"])
    assert config.changed == {}


def test_a_part_is_laid_over_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("[fit]\nn_folds = 4\nseed = 20261124\n[evidence]\nunlisted_weight = 0.5\n", encoding="utf-8")
    config = read_config(path)
    assert config.changed == {"fit.n_folds": 4, "evidence.unlisted_weight": 0.5}
    assert replace(config, changed={}) == replace(
        read_config(), n_folds=4, evidence=replace(read_config().evidence, unlisted_weight=0.5)
    )
    assert parse_config(b"") == read_config()


@every(
    "text, setting, value, said",
    [
        ('[fit]\nn_folds = "eight"', "fit.n_folds", "'eight'", "must be a whole number"),
        ("[fit]\nn_folds = 4.5", "fit.n_folds", "4.5", "must be a whole number"),
        ("[fit]\nn_folds = true", "fit.n_folds", "True", "must be a whole number"),
        ("[fit]\nn_folds = 1", "fit.n_folds", "1", "between 2 and 1000"),
        ("[fit]\nfolds = 4", "fit.folds", "4", "did you mean n_folds?"),
        ("[fits]\nfolds = 4", "fits", "{'folds': 4}", "did you mean fit?"),
        ("fit = 3", "fit", "3", "a heading of its own"),
        ("[evidence]\nunlisted_weight = nan", "evidence.unlisted_weight", "nan", "must be a number"),
        ("[evidence]\nunlisted_weight = 1.5", "evidence.unlisted_weight", "1.5", "between 0.001 and 0.999"),
        (f"[evidence]\ntrust = {'9' * 400}", "evidence.trust", "9" * 80, "must be a number"),
        ("[networks]\nhidden = 12", "networks.hidden", "12", "must be a list"),
        ("[networks]\nhidden = [12, 0]", "networks.hidden", "[12, 0]", "whole numbers above 0"),
        ("[networks]\nstages = [[1e-3, 2.5]]", "networks.stages", "[[0.001, 2.5]]", "must be pairs"),
        ("[scenario]\nkinds = [1, 2]", "scenario.kinds", "[1, 2]", "weights of 0 or more"),
    ],
)
def test_what_does_not_fit_is_told(text: str, setting: str, value: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(text.encode(), "mine.toml")
    (problem,) = caught.value.problems
    assert (problem.table, problem.column, problem.value) == ("mine.toml", setting, value)
    assert said in problem.reason


def test_everything_is_told_together_and_no_toml_too() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(b'[fit]\nfolds = 4\nseed = "x"\n[networks]\nbatch = 0\n')
    assert [problem.column for problem in caught.value.problems] == ["fit.folds", "fit.seed", "networks.batch"]
    with pytest.raises(ConfigError, match="not TOML"):
        parse_config(b"[fit")


def test_settings_without_end_are_refused() -> None:
    with pytest.raises(ConfigError, match="more than 1000 kB"):
        read_config(Path("/dev/zero"))


@every(
    "given",
    [
        "[fit]\nn_fold = 3",
        "[fit]\nunheard = 3",
        "[fitt]\nseed = 3",
        "[unheard]\na = 1",
        "fit = 3",
        "[fit]\nn_folds = 'x'",
        "[fit]\nn_folds = 1",
        "[scenario]\nkinds = [1]",
        "[networks]\nhidden = [0]\nstages = [1]",
        "[evidence]\ntable_weights = 3\nunlisted_weight = 'x'",
        "[fit",
    ],
)
def test_what_is_wrong_with_settings_is_told_in_french_too(given: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(given.encode())
    assert all(reason_in(problem, "fr") != problem.reason for problem in caught.value.problems)
