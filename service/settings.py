"""Where and how the service runs: every ``KPF_*`` variable is read here, once, and nowhere else in the service."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import sqlalchemy as sa
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from kpfootprint.report.whole import Stationery
from kpfootprint.retold import Said
from service import HOME_DEFAULT
from service.misfits import reason_of

PREFIX = "KPF_"
MEGABYTE = 1_000_000
MOST = 1e9

HEADER = r"^[A-Za-z0-9-]{1,100}$"
Role = Literal["viewer", "monitor", "researcher", "admin"]
ROLES: tuple[str, ...] = get_args(Role)
"""Each role may do what the ones before it may."""

ONE_OF_THEM = rf"({'|'.join(ROLES)})"
OF_GROUP = rf"[^=,]+={ONE_OF_THEM}"
NEEDS = {"oidc_issuer": ("oidc_client_id", "sign_in_roles"), "proxy_secret": ("sign_in_roles",)}
"""Settings that say nothing without others."""


def _followed(folder: Path) -> Path:
    """Return a folder whose name is text and leads somewhere; links in a circle and nobody's home do not."""
    try:
        found = folder.expanduser()
        found.resolve()
        str(found).encode()
    except (RuntimeError, UnicodeError):
        raise PydanticCustomError("folder", "no folder can be called that") from None
    return found


def _of_a_database(url: str) -> str:
    try:
        sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        raise PydanticCustomError("address", "it is no address of a database") from None
    return url


Folder = Annotated[Path, AfterValidator(_followed)]
Database = Annotated[str, Field(pattern=r"^(sqlite:///.|postgresql\+psycopg://.)"), AfterValidator(_of_a_database)]


class SettingError(ValueError):
    """Settings cannot be used; each of `faults` names one, the value found and what would do."""

    def __init__(self, faults: Sequence[Said]) -> None:
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)


class Settings(BaseModel):
    """Everything that may differ from one installation to the next; a field ``x`` is the variable ``KPF_X``.

    Parameters
    ----------
    home : Path
        Folder of ``register.db`` and ``releases/``.
    model : Path or None
        Release that goes before the active one.
    database_url : str or None
        Address of the register, as SQLAlchemy writes it; without one it is ``register.db`` in `home`.
    max_body_mb, max_upload_mb : float
        Millions of bytes of a body and of an upload.
    rate_per_minute : int
        Requests a minute for each key, over all workers; 0 is no limit.
    clock_days : int
        Days from the arrival of a submission until it is due.
    trusted_proxies : str or None
        Addresses of proxies (with commas) whose ``X-Forwarded-For`` and ``-Proto`` are believed; nobody's otherwise.
    scheduler : str or None
        Dask scheduler that large jobs go to.
    letterhead, note : str
        What is printed above a report, and below its first page; backslash and ``n`` begin a line.
    public_address : str or None
        Where others find the service, such as ``https://footprint.example``: QR codes lead there, and forms
        come from there.
    oidc_issuer, oidc_client_id, oidc_client_secret : str or None
        Provider of OpenID Connect that signs people in, and as whom this service is known there.
    oidc_claim : str
        Claim that holds the groups of whoever signs in.
    proxy_secret : str or None
        What the proxy sends as ``X-Proxy-Secret``; with it, and never without, the next two are believed.
    proxy_user_header, proxy_groups_header : str
        Headers in which the proxy says who asks, and (with commas) in which groups.
    sign_in_roles : str
        Roles of groups, as ``GROUP=ROLE`` with commas between; the group ``*`` is everybody.
    blind_roles : str
        Roles, with commas, that give their own conclusion before they see the computed one.
    log_format : {"text", "json"}
        How a line of the log is written.
    workers : int
        Worker processes; set by the launcher.
    launcher_pid : int or None
        Process whose end ends the workers; set by the launcher.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    home: Folder = Field(default=Path(HOME_DEFAULT), validate_default=True)
    model: Folder | None = None
    database_url: Database | None = None
    max_body_mb: float = Field(default=32, ge=0, le=MOST)
    max_upload_mb: float = Field(default=256, ge=0, le=MOST)
    rate_per_minute: int = Field(default=6000, ge=0, le=MOST)
    clock_days: int = Field(default=7, ge=1, le=365)
    trusted_proxies: str | None = Field(default=None, pattern=r"^[0-9A-Fa-f:./, ]+$")
    scheduler: str | None = None
    letterhead: str = Field(default="", max_length=2000)
    note: str = Field(default="", max_length=2000)
    public_address: str | None = Field(default=None, pattern=r"^https?://[^\s?#]+$", max_length=200)
    oidc_issuer: str | None = Field(
        default=None, pattern=r"^(https://|http://(127\.0\.0\.1|\[::1\]|localhost)[:/])\S+$"
    )
    oidc_client_id: str | None = None
    oidc_client_secret: str | None = None
    oidc_claim: str = "groups"
    proxy_secret: str | None = Field(default=None, min_length=16)
    proxy_user_header: str = Field(default="X-Forwarded-User", pattern=HEADER)
    proxy_groups_header: str = Field(default="X-Forwarded-Groups", pattern=HEADER)
    sign_in_roles: str = Field(default="", pattern=rf"^({OF_GROUP}(, *{OF_GROUP})*)?$")
    blind_roles: str = Field(default="", pattern=rf"^({ONE_OF_THEM}(, *{ONE_OF_THEM})*)?$")
    log_format: Literal["text", "json"] = "text"
    workers: int = Field(default=1, ge=1, le=1000)
    launcher_pid: int | None = Field(default=None, ge=1)

    @property
    def is_launched(self) -> bool:
        """Whether this process is one of a launcher, which has opened the register before."""
        return self.launcher_pid not in {None, os.getpid()}

    @property
    def max_body(self) -> int:
        """Bytes of a body that is read whole."""
        return int(self.max_body_mb * MEGABYTE)

    @property
    def max_upload(self) -> int:
        """Bytes of an upload."""
        return int(self.max_upload_mb * MEGABYTE)

    @property
    def stationery(self) -> Stationery:
        """What the office prints on its reports."""
        letterhead, note = (text.replace("\\n", "\n") for text in (self.letterhead, self.note))
        return Stationery(letterhead=letterhead, note=note, address=self.public_address or "")

    @property
    def roles_of_groups(self) -> dict[str, str]:
        """The role of each group of whoever others vouch for."""
        pairs = (item.split("=") for item in self.sign_in_roles.split(",") if item)
        return {group.strip(): role.strip() for group, role in pairs}

    @property
    def blind(self) -> frozenset[str]:
        """Roles that see the computed conclusion only after their own."""
        return frozenset(self.blind_roles.replace(" ", "").split(",")) - {""}

    @property
    def register_url(self) -> str:
        """Address of the register."""
        return self.database_url or f"sqlite:///{self.home / 'register.db'}"


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from `environment` (the process's own where it is None).

    Raises
    ------
    SettingError
        With every setting that cannot be used.
    """
    given = os.environ if environment is None else environment
    known = {name: given.get(PREFIX + name.upper(), "").strip() for name in Settings.model_fields}
    faults = _misspelt(given)
    faults += [
        Said("{name} needs {other} beside it", name=PREFIX + name.upper(), other=PREFIX + other.upper())
        for name, others in NEEDS.items()
        for other in others
        if known[name] and not known[other]
    ]
    try:
        settings = Settings.model_validate({name: text for name, text in known.items() if text})
    except ValidationError as error:
        faults += map(_fault, error.errors())
    if faults:
        raise SettingError(faults)
    return settings


def _misspelt(given: Mapping[str, str]) -> list[Said]:
    """Return what is wrong with names that are nearly those of settings: nobody would hear that they set nothing."""
    names = [name.upper() for name in Settings.model_fields]
    told = []
    for name in sorted(given):
        own = name.removeprefix(PREFIX)
        if own != name and own not in names and (meant := get_close_matches(own, names, n=1, cutoff=0.8)):
            told.append(Said("{name} is no setting; is {meant} meant?", name=name, meant=PREFIX + meant[0]))
    return told


def _fault(fault: Any) -> Said:
    """Return what is wrong with a setting, and what was found unless it is a secret or may hold a password."""
    name, found, reason = str(fault["loc"][0]), str(fault["input"]), reason_of(fault)
    if "secret" not in name and "@" not in found:
        reason = Said("{reason}, got {found}", reason=reason, found=repr(found))
    return Said("{name}: {fault}", name=PREFIX + name.upper(), fault=reason)


def environment_of(settings: Settings) -> dict[str, str]:
    """Return the variables from which another process reads the same settings."""
    known = settings.model_dump(exclude_none=True, mode="json")
    return {PREFIX + name.upper(): str(value) for name, value in known.items()}
