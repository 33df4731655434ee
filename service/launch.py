"""Starts the service: settles what BentoML must be told before it is imported, prints the address, waits."""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import socket
import sys
import threading
import time
from ipaddress import ip_address

from kpfootprint.errors import KPFootprintError
from kpfootprint.release import load_release
from kpfootprint.trial import try_release
from service.register.activations import folder_in_force
from service.register.database import open_register
from service.register.sessions import LINK_LASTS, new_link
from service.settings import Settings, environment_of

READY_WITHIN = 120.0


class LaunchError(KPFootprintError):
    """The service cannot start here; the text says what to change."""

    code = "launch"


def serve(settings: Settings, host: str = "127.0.0.1", port: int = 3000) -> None:
    """Serve until SIGINT or SIGTERM.

    Parameters
    ----------
    settings : Settings
        Handed on to the workers; the folder of the register is made where it is missing.
    host : str
        IP address to listen on; the default is not reachable from other machines.

    Raises
    ------
    LaunchError
        Where the address cannot be listened on.
    ReleaseError
        Where the release in force cannot be loaded: said here rather than by every worker.
    """
    address = _address(host, port)
    settings = settings.model_copy(update={"home": settings.home.resolve(), "launcher_pid": os.getpid()})
    engine = open_register(settings)
    try:
        try_release(load_release(settings.model or folder_in_force(engine, settings.home)))
        link = new_link(engine)
    finally:
        engine.dispose()
    private = settings.home / "run" / f"{host.replace(':', '_')}-{port}"
    private.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.environ |= {
        "BENTOML_DO_NOT_TRACK": "true",
        "BENTOML_HOME": str(private.resolve()),
        "BENTOML_QUIET": "true",
        **environment_of(settings),
    }
    threading.Thread(target=_announce, args=(host, port, address, link), daemon=True).start()
    import bentoml

    try:
        bentoml.serve("service.served:SERVICE", host=host, port=port, blocking=True)
    finally:
        shutil.rmtree(private, ignore_errors=True)


def _address(host: str, port: int) -> str:
    """Return the address to open, after trying whether it can be listened on."""
    try:
        version = ip_address(host).version
    except ValueError:
        raise LaunchError(f"--host must be an IP address such as 127.0.0.1 or 0.0.0.0, got {host!r}") from None
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
            trial.listen(1)
        except OSError as error:
            reason = error.strerror or error
            raise LaunchError(f"cannot listen on {host} port {port}: {reason}; try another --port") from None
    return f"http://{f'[{host}]' if version == 6 else host}:{port}"


def _announce(host: str, port: int, address: str, link: str | None) -> None:
    """Print where to go as soon as there is somebody to answer."""
    local = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    until = time.monotonic() + READY_WITHIN
    while not _answers(local, port):
        if time.monotonic() > until:
            print("The service does not answer; what its workers said stands above.", file=sys.stderr, flush=True)
            return
        time.sleep(0.1)
    print(f"Serving on {address}", flush=True)
    if link is not None:
        minutes = int(LINK_LASTS.total_seconds() // 60)
        print(f"Sign in, once and within {minutes} minutes: {address}/sign-in?token={link}", flush=True)
    else:
        print("Sign in with a key: kpfootprint keys create --role ROLE makes one.", flush=True)
    print("Stop with Ctrl+C.", flush=True)


def _answers(host: str, port: int) -> bool:
    with contextlib.suppress(OSError, http.client.HTTPException):
        connection = http.client.HTTPConnection(host, port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        finally:
            connection.close()
    return False
