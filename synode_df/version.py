"""Versions: of the package, and of the data that a seed gives."""

from typing import Final

__version__: Final = "0.1.0"
"""The package's version."""

DATA_VERSION: Final = 1
"""Raised whenever a seed gives other data than before; the changelog says why."""
