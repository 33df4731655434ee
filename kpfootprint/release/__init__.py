"""Releases: folders of plain arrays and JSON, checked whole before a byte of them is used."""

from kpfootprint.release.files import ARRAYS, MANIFEST, sha256_of_manifest
from kpfootprint.release.release import FORMAT, Release, load_release, shipped_release, write_release

__all__ = [
    "ARRAYS",
    "FORMAT",
    "MANIFEST",
    "Release",
    "load_release",
    "sha256_of_manifest",
    "shipped_release",
    "write_release",
]
