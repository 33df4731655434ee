"""How many examples a law is tried on: few in ``make check``, all of them in ``make validate``."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

BUSY = (HealthCheck.too_slow,)
"""What a busy machine would be blamed for: examples are drawn as slowly as it lets them."""

settings.register_profile("few", deadline=None, derandomize=True, max_examples=25, suppress_health_check=BUSY)
settings.register_profile("all", deadline=None, derandomize=True, max_examples=100, suppress_health_check=BUSY)
settings.load_profile("few")


def tried(n: int, *quiet: HealthCheck) -> settings:
    """Return the settings of a law tried on `n` examples, and on a fifth of them where few are asked for."""
    whole = settings.get_current_profile_name() == "all"
    return settings(max_examples=n if whole else max(n // 5, 4), suppress_health_check=[*BUSY, *quiet])
