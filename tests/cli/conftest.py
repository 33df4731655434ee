"""A sealed dossier, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import kpfootprint


@pytest.fixture(scope="session")
def sealed(examples: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return the dossier of an example."""
    home = tmp_path_factory.mktemp("sealed")
    done = kpfootprint("compare", examples / "true_berberati.json", "--format", "dossier", home=home)
    assert done.status == 0, done.err
    return done.out
