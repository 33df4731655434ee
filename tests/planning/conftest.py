"""The shipped release, loaded once."""

from __future__ import annotations

from datetime import date

import pytest

from kpfootprint.release import Release, load_release, shipped_release

DAY = date(2024, 3, 11)


@pytest.fixture(scope="session")
def release() -> Release:
    return load_release(shipped_release())
