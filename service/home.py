"""Where things are kept where nothing else is said."""

from __future__ import annotations

HOME_DEFAULT = "~/.local/share/kpfootprint"
"""Folder of the register and of the releases made here, without ``KPF_HOME``."""
