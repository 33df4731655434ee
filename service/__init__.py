"""The service: comparisons over HTTP and as pages, with keys, a register, and one door before everything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

HOME_DEFAULT = "~/.local/share/kpfootprint"
"""Folder of the register and of the releases made here, without ``KPF_HOME``."""

Wording = str
Wordings = Mapping[Any, str]
"""English texts that pages tell in other languages, too: the catalogue finds them by this type."""
