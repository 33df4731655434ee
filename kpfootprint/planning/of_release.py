"""What answers say of the release that they were made with."""

from __future__ import annotations

from typing import Any

from kpfootprint.release import Release
from kpfootprint.scheme import Scheme


def labels_of(scheme: Scheme) -> dict[str, dict[str, str]]:
    """Return names of attributes, and of their classes as ``attribute:class``, by language."""
    out = {scheme.size.name: dict(scheme.size.labels)}
    for attribute in scheme.categorical:
        out[attribute.name] = dict(attribute.labels)
        out |= {f"{attribute.name}:{item.name}": dict(item.labels) for item in attribute.classes}
        out |= {f"{attribute.name}:{item.name}": dict(item.labels) for item in attribute.sets}
    return out


def synthetic_reference(release: Release) -> list[dict[str, Any]]:
    """Return the caution that the reference is invented, where it is."""
    reference = release.manifest["reference"]
    said = {"code": "synthetic_reference", "values": {"reference": reference["name"]}}
    return [said] if reference["synthetic"] else []
