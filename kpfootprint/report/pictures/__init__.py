"""Pictures of a report: geometry from its content, drawn as inline SVG. Each returns no figure where it has no data."""

from kpfootprint.report.pictures.classes import shares_of_stones
from kpfootprint.report.pictures.footprint_map import footprint_map
from kpfootprint.report.pictures.profile import mixture_profile
from kpfootprint.report.pictures.scale import lr_scale
from kpfootprint.report.pictures.shapley import shapley_shares

__all__ = ["footprint_map", "lr_scale", "mixture_profile", "shapley_shares", "shares_of_stones"]
