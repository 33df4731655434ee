"""An office with a register: the app, a key of every role, a worker that works when it is told to, and shipments."""

from __future__ import annotations

import io
import threading
import zipfile
from typing import Any

from starlette.testclient import TestClient

from service.jobs.worker import work_once
from service.register.keys import create_key
from service.settings import ROLES, Settings
from service.work.place import Workplace


class Office:
    """An app with its keys and a worker that works when it is told to."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.keys = {role: create_key(settings, role, f"the {role}") for role in ROLES}
        self.work = Workplace(settings)
        self.work.release()
        from service.app import create_app

        self.client = TestClient(create_app(settings).to_asgi(), raise_server_exceptions=False)

    def ask(self, role: str, method: str, path: str, **more: Any) -> Any:
        self.client.cookies.clear()
        headers = {"Authorization": f"Bearer {self.keys[role]}"} | more.pop("headers", {})
        return self.client.request(method, path, headers=headers, **more)

    def get(self, path: str) -> Any:
        answer = self.ask("viewer", "GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def send(self, content: bytes, name: str = "shipment.zip", **more: Any) -> Any:
        return self.ask("monitor", "POST", "/v1/submissions", files={"file": (name, content)}, **more)

    def run_jobs(self) -> int:
        ran = 0
        while work_once(self.work, threading.Event()):
            ran += 1
        return ran


COLOURS = ("brown", "cape", "colourless", "yellow", "grey")
SHAPES = ("cube", "flat", "macle", "octahedron", "dodecahedron", "fragment", "boart")


def shipment(
    n: int = 3,
    *,
    bad: bool = True,
    prefix: str = "L",
    shift: float = 0.0,
    zone: str = "berberati",
    declared: float = 20,
    **columns: str,
) -> bytes:
    """Return a zip of parcels of 60 stones, the same bytes for the same parcels; the last has a negative weight."""
    head = "parcel_id,exported_on,exporter,certificate_no,value_usd"
    fields = {"exported_on": "2024-03-11", "exporter": "Badica", "certificate_no": f"CF-{prefix}", "value_usd": "900"}
    fields |= columns
    stones = ["parcel_id,weight_ct,colour,morphology"]
    for number in range(n):
        stones += [
            f"{prefix}{number},{0.2 + shift + (number * 60 + k) * 0.6180339887 % 1 * 1.7:.3f},"
            f"{COLOURS[k % 5]},{SHAPES[k % 7]}"
            for k in range(60)
        ]
    if bad:
        stones.append(f"{prefix}{n - 1},-1,brown,cube")
    tables = {
        "parcels.csv": "\n".join([head, *(f"{prefix}{i},{','.join(fields.values())}" for i in range(n))]),
        "declarations.csv": "\n".join(
            ["parcel_id,zone_id,carats", *(f"{prefix}{i},{zone},{declared}" for i in range(n))]
        ),
        "stones.csv": "\n".join(stones),
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in tables.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return packed.getvalue()
