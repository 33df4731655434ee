"""What the workers of the launcher import: the service with the settings of their surroundings."""

from __future__ import annotations

from service.app import create_app
from service.settings import read_settings

SERVICE = create_app(read_settings())
