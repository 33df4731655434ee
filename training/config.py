"""How a model is made, read from ``config.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kpfootprint.stats.scenarios import Scenario

DEFAULT = Path(__file__).with_name("config.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class FitConfig:
    """The settings of a fit; each is explained in ``config.toml``."""

    seed: int
    n_folds: int
    n_resamples: int
    n_simulated: int
    n_ranked: int
    minimum_parcels: int
    hidden: tuple[int, ...]
    gate_hidden: tuple[int, ...]
    penalty: float
    batch: int
    stages: tuple[tuple[float, int], ...]
    unlisted_weight: float
    scenario: Scenario
    ranks: Scenario
    conclusion: dict[str, float]
    n_jobs: int = 2


def read_config(path: Path = DEFAULT) -> FitConfig:
    """Read the settings.

    Raises
    ------
    ValueError
        Where a setting is missing or unknown.
    """
    with path.open("rb") as stream:
        document: dict[str, Any] = tomllib.load(stream)
    try:
        networks, scenario = document["networks"], _scenario(document["scenario"])
        return FitConfig(
            **document["fit"],
            hidden=tuple(networks["hidden"]),
            gate_hidden=tuple(networks["gate_hidden"]),
            penalty=networks["penalty"],
            batch=networks["batch"],
            stages=tuple((rate, passes) for rate, passes in networks["stages"]),
            unlisted_weight=document["evidence"]["unlisted_weight"],
            scenario=scenario,
            ranks=_scenario(document["scenario"] | document["ranks"]),
            conclusion=dict(document["conclusion"]),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path}: a setting is missing or unknown: {error}") from None


def _scenario(values: dict[str, Any]) -> Scenario:
    return Scenario(**values | {"kinds": tuple(values["kinds"])})
