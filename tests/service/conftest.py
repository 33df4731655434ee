"""The app in this process, on a register in a file, with keys of every role."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from service.register.keys import create_key
from service.register.opening import open_register
from service.settings import Settings
from tests.needs import require
from tests.service.databases import Postgres
from tests.service.office import Office
from tests.service.server import Server
from tests.service.there import There

Ask = Callable[..., Any]


BENTOML_WARNS = (
    "ignore:GitWildMatchPattern:DeprecationWarning",
    "ignore::DeprecationWarning:_?bentoml",
)
"""What BentoML and its dependencies say of each other; everything else stays an error."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let BentoML's own warnings pass in the tests of this folder."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            for rule in BENTOML_WARNS:
                item.add_marker(pytest.mark.filterwarnings(rule))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Start a PostgreSQL server."""
    made = Postgres(require("postgres"))
    yield made
    made.remove()


BOTH = [
    pytest.param("sqlite", id="sqlite"),
    pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.slow], id="postgres"),
]


@pytest.fixture(params=BOTH)
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Return the settings of an empty register, on either database."""
    url = request.getfixturevalue("postgres").new_database() if request.param == "postgres" else None
    return Settings(home=tmp_path, database_url=url)


@pytest.fixture(scope="session")
def new_register(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return the file of an empty register, made once."""
    home = tmp_path_factory.mktemp("new-register")
    open_register(Settings(home=home)).dispose()
    return (home / "register.db").read_bytes()


@pytest.fixture
def engine(settings: Settings, new_register: bytes) -> Iterator[sa.Engine]:
    """Open an empty register, on either database."""
    if settings.database_url is None:
        (settings.home / "register.db").write_bytes(new_register)
    made = open_register(settings)
    yield made
    made.dispose()


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the home folder of the app."""
    return tmp_path_factory.mktemp("service-home") / "kpf"


@pytest.fixture(scope="session")
def app(home: Path, new_register: bytes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """Run the app."""
    os.environ |= {"BENTOML_DO_NOT_TRACK": "true", "BENTOML_HOME": str(tmp_path_factory.mktemp("bentoml"))}
    from service.app import create_app

    settings = Settings(home=home, max_body_mb=0.5, max_upload_mb=1, rate_per_minute=100_000)
    home.mkdir(mode=0o700)
    (home / "register.db").write_bytes(new_register)
    open_register(settings).dispose()
    with TestClient(create_app(settings).to_asgi(), follow_redirects=False, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="session")
def keys(home: Path, app: TestClient) -> dict[str, str]:
    """Return a key of every role."""
    return {
        role: create_key(Settings(home=home), role, f"the {role}")
        for role in ("viewer", "monitor", "researcher", "admin")
    }


@pytest.fixture
def ask(app: TestClient, keys: dict[str, str]) -> Ask:
    """Return a way to ask with a key: ``ask("monitor", "GET", "/v1/zones")``."""

    def asked(role: str, method: str, path: str, **more: Any) -> Any:
        app.cookies.clear()
        headers = {"Authorization": f"Bearer {keys[role]}"} | more.pop("headers", {})
        return app.request(method, path, headers=headers, **more)

    return asked


@pytest.fixture
def browser(app: TestClient, keys: dict[str, str]) -> Iterator[TestClient]:
    """Sign a browser in with the monitor's key."""
    app.cookies.clear()
    answer = app.post("/sign-in", data={"key": keys["monitor"]})
    assert answer.status_code == 303
    yield app
    app.cookies.clear()


@pytest.fixture(scope="session")
def parcel(examples: Path) -> dict[str, Any]:
    """Return the example parcel that comes as JSON."""
    document: dict[str, Any] = json.loads((examples / "true_berberati.json").read_text(encoding="utf-8"))
    return document


@pytest.fixture
def kept(ask: Ask, parcel: dict[str, Any]) -> str:
    """Return the address of a comparison that was kept."""
    answer = ask("monitor", "POST", "/v1/comparisons", json=parcel)
    assert answer.status_code == 201
    location: str = answer.headers["location"]
    return location


@pytest.fixture(scope="module", params=BOTH)
def office(
    request: pytest.FixtureRequest, new_register: bytes, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Office]:
    url = request.getfixturevalue("postgres").new_database() if request.param == "postgres" else None
    os.environ |= {"BENTOML_DO_NOT_TRACK": "true", "BENTOML_HOME": str(tmp_path_factory.mktemp("bentoml"))}
    settings = Settings(home=tmp_path_factory.mktemp("office"), database_url=url, rate_per_minute=0)
    if url is None:
        (settings.home / "register.db").write_bytes(new_register)
    open_register(settings).dispose()
    made = Office(settings)
    with made.client:
        yield made
    made.work.close()


@pytest.fixture(scope="module", params=BOTH)
def there(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, parcel: dict[str, Any]
) -> Iterator[There]:
    home = tmp_path_factory.mktemp("contract")
    url = request.getfixturevalue("postgres").new_database() if request.param == "postgres" else None
    settings = Settings(home=home, database_url=url)
    with Server(home, **({} if url is None else {"KPF_DATABASE_URL": url})) as server:
        made = There(server, settings, parcel)
        with made.client:
            yield made
        assert "Traceback" not in server.logged
