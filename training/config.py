"""How a model is made: one TOML file, of which a researcher may give a part; the rest is as in ``config.toml``."""

from __future__ import annotations

import difflib
import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from kpfootprint.errors import InputError, Problem
from kpfootprint.plain import built
from kpfootprint.release import Release
from kpfootprint.retold import Said, said_of
from kpfootprint.strict_json import is_number
from training.acceptance import Criteria, criteria_of
from training.scenarios import KINDS, Scenario

DEFAULT = Path(__file__).with_name("config.toml")
ACCEPTANCE = "acceptance"
"""The part of the settings that says what a release is judged by; a file that has one has the whole of it."""

RANGES: Mapping[str, tuple[float, float]] = {
    "fit.seed": (0, 2**63),
    "fit.n_folds": (2, 1000),
    "fit.n_resamples": (2, 10_000),
    "fit.n_simulated": (100, 100_000_000),
    "fit.n_ranked": (100, 100_000_000),
    "fit.n_judged": (100, 100_000_000),
    "fit.n_tried": (1, 1_000_000),
    "fit.minimum_parcels": (1, 1_000_000),
    "scenario.median_stones": (1, 1e6),
    "scenario.spread_stones": (0, 10),
    "scenario.sieved": (0, 1),
    "scenario.blank": (0, 1),
    "scenario.other_compliant": (0, 1),
    "scenario.degrees_of_freedom": (1, 1e6),
    "scenario.odd_share": (0, 1),
    "ranks.degrees_of_freedom": (1, 1e6),
    "ranks.odd_share": (0, 1),
    "networks.penalty": (0, 1e6),
    "networks.batch": (1, 1_000_000),
    "evidence.unlisted_weight": (0.001, 0.999),
    "evidence.trust": (0, 1e6),
    "evidence.turned": (0, 1e6),
    "evidence.offset_spread": (1e-3, 1e6),
    "evidence.pool_trust": (0, 1e6),
    "evidence.table_vote": (0, 1),
    "conclusion.minimum_stones": (1, 1e6),
}
"""What a number must lie between, both ends included; others need only be finite."""


LARGEST = 1_000_000
"""Bytes of a file of settings."""


class ConfigError(InputError, ValueError):
    """A file of settings holds names or values that do not fit."""

    code = "invalid_config"


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceConfig:
    """How evidence becomes an LR: what stands in H2, what calibration believes, what cross-validation chooses among."""

    unlisted_weight: float
    trust: float
    turned: float
    offset_spread: float | None
    pool_trust: float
    table_weights: tuple[float, ...]
    table_vote: float | None


OLDER = {
    "trust": 40.0,
    "turned": 0.0,
    "offset_spread": None,
    "pool_trust": 0.0,
    "table_weights": (0.0,),
    "table_vote": None,
}
"""What older releases that do not state it were made with: up to format 8 no question turned round and no vote of the
tables, up to format 4 the offset counts whole, and in format 2 there was no choice, and the trust of forty parcels."""


def evidence_config_of(release: Release) -> EvidenceConfig:
    """Return how the evidence of a release became LRs."""
    stated = release.manifest["config"].get("evidence", {"unlisted_weight": release.unlisted_weight})
    return built(EvidenceConfig, OLDER | stated)


@dataclass(frozen=True, slots=True, kw_only=True)
class FitConfig:
    """The settings of a fit; each is explained in ``config.toml``. `changed` names those that are not as there."""

    seed: int
    n_folds: int
    n_resamples: int
    n_simulated: int
    n_ranked: int
    n_judged: int
    n_tried: int
    minimum_parcels: int
    hidden: tuple[int, ...]
    gate_hidden: tuple[int, ...]
    penalty: float
    batch: int
    stages: tuple[tuple[float, int], ...]
    evidence: EvidenceConfig
    scenario: Scenario
    ranks: Scenario
    conclusion: dict[str, float]
    acceptance: Criteria
    changed: dict[str, Any] = field(default_factory=dict)
    n_jobs: int = 2


def read_config(path: Path = DEFAULT) -> FitConfig:
    """Read the settings; what the file leaves out is as in ``config.toml``.

    Raises
    ------
    ConfigError
        With every name that is unknown and every value that does not fit.
    OSError
        Where the file cannot be read.
    """
    with path.open("rb") as file:
        return parse_config(file.read(LARGEST + 1), path.name)


def parse_config(data: bytes, name: str = "config") -> FitConfig:
    """Return the settings that the bytes of a TOML file hold; `name` stands in problems."""
    if len(data) > LARGEST:
        raise ConfigError(
            [Problem(table=name, code="too_large", reason=Said("more than {most} kB", most=str(LARGEST // 1000)))]
        )
    try:
        given = tomllib.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ConfigError(
            [Problem(table=name, code="bad_toml", reason=Said("not TOML: {error}", error=error))]
        ) from None
    defaults, acceptance = _defaults()
    own = given.pop(ACCEPTANCE, None)
    problems = list(_problems(name, given, defaults))
    try:
        acceptance = acceptance if own is None else criteria_of(own)
    except ValueError as error:
        problems.append(Problem(table=name, column=ACCEPTANCE, code="wrong_value", reason=said_of(error)))
    if problems:
        raise ConfigError(problems)
    document = {room: values | given.get(room, {}) for room, values in defaults.items()}
    made = {
        "ranks": document["scenario"] | document["ranks"],
        "conclusion": {key: float(value) for key, value in document["conclusion"].items()},
        "acceptance": acceptance,
        "changed": {
            f"{room}.{key}": value
            for room, values in given.items()
            for key, value in values.items()
            if value != defaults[room][key]
        },
    }
    return built(FitConfig, document | document["fit"] | document["networks"] | made)


@lru_cache(maxsize=1)
def _defaults() -> tuple[dict[str, dict[str, Any]], Criteria]:
    document = tomllib.loads(DEFAULT.read_text(encoding="utf-8"))
    return document, criteria_of(document.pop(ACCEPTANCE))


def _problems(name: str, given: Mapping[str, Any], defaults: Mapping[str, Mapping[str, Any]]) -> Iterator[Problem]:
    """Hold every setting against the default of its name: what it is called, what kind it is, where it lies."""

    def told(code: str, setting: str, value: object, reason: str) -> Problem:
        return Problem(table=name, column=setting, value=repr(value)[:80], code=code, reason=reason)

    for room, values in given.items():
        if room not in defaults:
            reason = Said("there is no such part; {nearest}", nearest=_nearest(room, defaults))
            yield told("unknown_setting", room, values, reason)
            continue
        if not isinstance(values, dict):
            reason = Said("must be a part with a heading of its own, [{room}]", room=room)
            yield told("wrong_type", room, values, reason)
            continue
        for key, value in values.items():
            setting = f"{room}.{key}"
            if key not in defaults[room]:
                reason = Said("there is no such setting; {nearest}", nearest=_nearest(key, defaults[room]))
                yield told("unknown_setting", setting, value, reason)
            elif (misfit := _misfit(setting, value, defaults[room][key])) is not None:
                yield told("wrong_value", setting, value, misfit)


def _nearest(name: str, known: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return Said("did you mean {name}?", name=close[0]) if close else Said("there are {names}", names=", ".join(known))


def _misfit(setting: str, value: object, default: object) -> str | None:
    """Say what is wrong with a value, or None."""
    if isinstance(default, bool):
        return None if isinstance(value, bool) else "must be true or false"
    if isinstance(default, int | float):
        return _wrong_number(setting, value, whole=isinstance(default, int))
    if isinstance(default, str):
        return None if isinstance(value, str) else "must be a text"
    if not isinstance(value, list):
        return Said("must be a list like {default}", default=default)
    if setting.endswith(".kinds"):
        fits = len(value) == len(KINDS) and all(is_number(v) and v >= 0 for v in value) and sum(value) > 0
        return (
            None if fits else Said("must be {n} weights of 0 or more, of {kinds}", n=len(KINDS), kinds=", ".join(KINDS))
        )
    if setting == "networks.stages":
        fits = bool(value) and all(
            isinstance(v, list) and len(v) == 2 and is_number(v[0]) and v[0] > 0 and _whole(v[1]) and v[1] > 0
            for v in value
        )
        return None if fits else "must be pairs of a learning rate above 0 and a whole number of passes"
    if setting.startswith("evidence."):
        fits = bool(value) and all(is_number(v) and 0 <= v <= 1 for v in value)
        return None if fits else "must be a list of numbers from 0 to 1"
    return None if value and all(_whole(v) and v > 0 for v in value) else "must be a list of whole numbers above 0"


def _whole(value: object) -> bool:
    return isinstance(value, int) and is_number(value)


def _wrong_number(setting: str, value: object, *, whole: bool) -> str | None:
    if not is_number(value) or (whole and not isinstance(value, int)):
        return "must be a whole number" if whole else "must be a number"
    low, high = RANGES.get(setting, (-math.inf, math.inf))
    return None if low <= value <= high else Said("must lie between {low} and {high}", low=f"{low:g}", high=f"{high:g}")
