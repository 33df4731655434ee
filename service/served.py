"""What the workers of the launcher import: the service with the settings of their surroundings."""

from __future__ import annotations

import uvicorn.config

from service.app import create_app
from service.settings import read_settings

uvicorn.config.HTTP_PROTOCOLS["auto"] = "service.wire:PatientProtocol"  # BentoML gives no way to name another

SERVICE = create_app(read_settings())
