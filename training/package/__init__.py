"""Reference packages on disk: read and checked whole, begun, and merged."""

from training.package.descriptor import DESCRIPTOR
from training.package.merge import merge_packages
from training.package.read import load_package, validate_package
from training.package.seal import init_package

__all__ = ["DESCRIPTOR", "init_package", "load_package", "merge_packages", "validate_package"]
