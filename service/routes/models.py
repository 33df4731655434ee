"""Releases that are here, and which one is in force."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from service.door.endpoint import Answer, Endpoint
from service.door.visit import visit_of
from service.register.activations import release_folders
from service.routes import shapes


def index(request: Request) -> Response:
    """List the releases; one of them is active."""
    work = visit_of(request).work
    active = work.release_folder()
    folders = [*release_folders(work.settings.home).values()]
    if active.resolve() not in [folder.resolve() for folder in folders]:
        folders.append(active)
    items = [_shown(folder, active=folder.resolve() == active.resolve()) for folder in folders]
    return JSONResponse({"items": items, "next": None})


def _shown(folder: Path, *, active: bool) -> dict[str, Any]:
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        manifest = {}
    return {
        "release": manifest.get("release", folder.name),
        "active": active,
        "released": manifest.get("released"),
        "reference": manifest.get("reference"),
    }


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/v1/models",
        role="viewer",
        handler=index,
        answer=Answer(shape=shapes.Models),
        summary="List the releases; one is active.",
    ),
)
