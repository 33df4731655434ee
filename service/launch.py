"""Starts the service: settles what BentoML must be told before it is imported, prints the address, waits."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import http.client
import os
import shutil
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path

import service
from kpfootprint.errors import KPFootprintError
from kpfootprint.release import load_release
from kpfootprint.retold import Said
from kpfootprint.trial import try_release
from service.jobs.worker import companion
from service.logs import log_to_standard_error
from service.meters import reserve
from service.register.activations import folder_in_force
from service.register.keys import LINK_LASTS, new_link
from service.register.opening import opened
from service.settings import Settings, environment_of

READY_WITHIN = 120.0
OWN = "kpfootprint-"


class LaunchError(KPFootprintError):
    """The service cannot start here; the text says what to change."""

    code = "launch"


def serve(
    settings: Settings,
    host: str = "127.0.0.1",
    port: int = 3000,
    *,
    worker: bool = True,
    told: Callable[[Said], str] = str,
) -> None:
    """Serve until SIGINT or SIGTERM.

    Parameters
    ----------
    settings : Settings
        Handed on to the workers; the folder of the register is made where it is missing.
    host : str
        IP address to listen on; the default is not reachable from other machines.
    worker : bool
        Whether a worker process takes jobs beside it.
    told : callable
        How a sentence is told to whoever starts it.

    Raises
    ------
    LaunchError
        Where the address cannot be listened on.
    ReleaseError
        Where the release in force cannot be loaded: said here rather than by every worker.
    """
    address = _address(host, port)
    settings = settings.model_copy(
        update={
            "home": settings.home.resolve(),
            "model": None if settings.model is None else settings.model.resolve(),
            "database_url": _absolute(settings.database_url),
            "launcher_pid": os.getpid(),
        }
    )
    log_to_standard_error(settings.log_format)
    with opened(settings) as engine:
        try_release(load_release(settings.model or folder_in_force(engine, settings.home)))
        link = new_link(engine)
    with _private(settings.workers) as private:
        _surround(settings, private)
        threading.Thread(target=_announce, args=(host, port, address, link, told), daemon=True).start()
        import bentoml
        from circus import watcher

        from service.keeping import Keeper

        watcher.Watcher = Keeper  # BentoML gives no way to name another
        try:
            with companion(settings) if worker else contextlib.nullcontext():
                bentoml.serve(
                    "service.served:SERVICE", host=host, port=port, blocking=True, working_dir=str(private / "empty")
                )
        except Exception as error:  # circus, which BentoML starts its workers by, raises what is no OSError
            if getattr(error, "errno", None) != errno.EADDRINUSE:
                raise
            if isinstance(error, OSError):
                raise _taken(host, port, error) from None
            raise LaunchError(
                "a port of this machine that the processes of the service speak to each other by was taken meanwhile "
                "(Address already in use); start it again"
            ) from None


@contextlib.contextmanager
def _private(workers: int) -> Iterator[Path]:
    """Give a folder of this process alone, with room for the figures of its workers; in memory where that can be."""
    reasons = []
    for parent in (Path("/dev/shm"), Path(tempfile.gettempdir())):
        if not parent.is_dir():
            continue
        _clear(parent)
        with contextlib.ExitStack() as kept:
            try:
                folder = Path(tempfile.mkdtemp(prefix=OWN, dir=parent))
                kept.callback(shutil.rmtree, folder, ignore_errors=True)
                kept.callback(os.close, _owned(folder))
                (folder / "empty").mkdir()
                for number in range(workers + 1):
                    reserve(folder / "empty", number)
                for file in (folder / "empty").iterdir():
                    file.unlink()
            except OSError as error:
                reasons.append(f"{parent}: {error.strerror or error}")
                continue
            yield folder
            return
    raise LaunchError(
        "there is no room for what a running service keeps by ({reasons}); free some", reasons="; ".join(reasons)
    )


def _owned(folder: Path) -> int:
    """Say in a folder that its owner lives: a lock that ends with this process, however it ends."""
    draft = folder / "owner.new"
    handle = os.open(draft, os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(handle, fcntl.LOCK_EX)
    draft.rename(folder / "owner")
    return handle


def _clear(parent: Path) -> None:
    """Remove the folders of those that were killed; one whose owner lives, or that is not ours, is left alone."""
    for file in parent.glob(f"{OWN}*/owner"):
        with contextlib.suppress(OSError):
            handle = os.open(file, os.O_RDWR | os.O_NOFOLLOW)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if not file.parent.is_symlink():
                    shutil.rmtree(file.parent, ignore_errors=True)
            finally:
                os.close(handle)


def _surround(settings: Settings, private: Path) -> None:
    """Settle the surroundings of the workers: no module is found in a folder that somebody happened to start in."""
    here = str(Path(service.__file__).parents[1])
    given = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if Path(entry).is_absolute()]
    os.environ |= {
        "BENTOML_DO_NOT_TRACK": "true",
        "BENTOML_HOME": str(private),
        "BENTOML_QUIET": "true",
        "FORWARDED_ALLOW_IPS": settings.trusted_proxies or "",
        "PYTHONPATH": os.pathsep.join(dict.fromkeys([here, *given])),
        "PYTHONSAFEPATH": "1",
        **environment_of(settings),
    }


def _absolute(database_url: str | None) -> str | None:
    """Return the address of a register whose file is named from the root, as workers stand in another folder."""
    start = "sqlite:///"
    if database_url is None or not database_url.startswith(start):
        return database_url
    return start + str(Path(database_url.removeprefix(start)).resolve())


def _address(host: str, port: int) -> str:
    """Return the address to open, after trying whether it can be listened on."""
    try:
        version = ip_address(host).version
    except ValueError:
        raise LaunchError(
            "--host must be an IP address such as 127.0.0.1 or 0.0.0.0, got {found}", found=repr(host)
        ) from None
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
            trial.listen(1)
        except OSError as error:
            raise _taken(host, port, error) from None
    return f"http://{f'[{host}]' if version == 6 else host}:{port}"


def _taken(host: str, port: int, error: OSError) -> LaunchError:
    said = {"host": host, "port": str(port), "reason": Said(error.strerror or str(error))}
    if error.errno == errno.EADDRNOTAVAIL:
        return LaunchError("cannot listen on {host} port {port}: {reason}; try another --host", **said)
    return LaunchError("cannot listen on {host} port {port}: {reason}; try another --port", **said)


def _announce(host: str, port: int, address: str, link: str | None, told: Callable[[Said], str]) -> None:
    """Print where to go as soon as there is somebody to answer."""
    local = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    until = time.monotonic() + READY_WITHIN
    while not _answers(local, port, until):
        if time.monotonic() > until:
            said = Said("The service does not answer; what its workers said stands above.")
            print(told(said), file=sys.stderr, flush=True)
            return
        time.sleep(0.1)
    sign_in = Said("Sign in with a key: kpfootprint keys create --role ROLE makes one.")
    if link is not None:
        minutes, link = int(LINK_LASTS.total_seconds() // 60), f"{address}/sign-in?token={link}"
        sign_in = Said("Sign in, once and within {minutes} minutes: {link}", minutes=minutes, link=link)
    for said in (Said("Serving on {address}", address=address), sign_in, Said("Stop with Ctrl+C.")):
        print(told(said), flush=True)


def _answers(host: str, port: int, until: float) -> bool:
    """Ask once, for as long as there is time: who asks and leaves would stand in the log before anybody else."""
    with contextlib.suppress(OSError, http.client.HTTPException):
        connection = http.client.HTTPConnection(host, port, timeout=max(1.0, until - time.monotonic()))
        try:
            connection.request("GET", "/readyz")
            answer = connection.getresponse()
            answer.read()
            return answer.status == 200
        finally:
            connection.close()
    return False
