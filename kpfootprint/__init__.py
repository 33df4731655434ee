"""Footprint comparison of rough-diamond parcels."""

__version__ = "0.1.0"
