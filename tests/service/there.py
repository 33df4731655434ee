"""The service as a program of somebody else's meets it: an address, a key, and nothing of ours in between."""

from __future__ import annotations

from typing import Any

from service.register.keys import create_key
from service.settings import ROLES, Settings
from tests.service.server import Server, comes


class There:
    """A running service, and a key of every role."""

    def __init__(self, server: Server, settings: Settings, example: dict[str, Any]) -> None:
        self.url = server.url
        self.settings = settings
        self.example = example
        self.keys = {role: create_key(settings, role, f"the {role}") for role in ROLES}
        self.client = server.client()

    def ask(self, role: str | None, method: str, path: str, **more: Any) -> Any:
        headers = {} if role is None else {"Authorization": f"Bearer {self.keys[role]}"}
        return self.client.request(method, path, headers=headers | more.pop("headers", {}), **more)

    def get(self, path: str) -> Any:
        answer = self.ask("viewer", "GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def compare(self, **differs: Any) -> tuple[str, dict[str, Any]]:
        """Compare the example parcel, differing so, and return its address and report."""
        answer = self.ask("monitor", "POST", "/v1/comparisons", json=self.example | differs)
        assert answer.status_code == 201, answer.text
        return answer.headers["location"], answer.json()

    def submit(self, content: bytes, **more: Any) -> Any:
        return self.ask("monitor", "POST", "/v1/submissions", files={"file": ("shipment.zip", content)}, **more)

    def over(self, href: str) -> dict[str, Any]:
        """Wait for a job to be over and return it."""
        assert comes(lambda: self.get(href)["state"] not in {"queued", "running"}), self.get(href)
        found: dict[str, Any] = self.get(href)
        return found
