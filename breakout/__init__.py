"""Breakout measures, live, which open-weight language models people really adopt."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("breakout-adoption")
except PackageNotFoundError:  # an uninstalled source tree
    __version__ = "0.0.0"
