"""The service: comparisons over HTTP and as pages, with keys, a register, and one door before everything."""

HOME_DEFAULT = "~/.local/share/kpfootprint"
"""Folder of the register and of the releases made here, without ``KPF_HOME``."""
