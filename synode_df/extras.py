"""Libraries that are not everybody's: imported when first needed, with an error that says how to get them."""

from __future__ import annotations

import importlib
from types import ModuleType

from synode_df.errors import SynodeError, told


def import_extra(module: str, *, extra: str, path: str) -> ModuleType:
    """A module of an optional library.

    Parameters
    ----------
    module : str
        What to import, such as `"plotly.graph_objects"`.
    extra : str
        The extra of this package that installs it.
    path : str
        What needs it, such as `"DuckDBAdapter"`.

    Returns
    -------
    module

    Raises
    ------
    SynodeError
        `MISSING_LIBRARY`, with the command that installs it.

    Examples
    --------
    >>> import_extra("math", extra="notebook", path="charts").floor(1.5)
    1
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise SynodeError(
            "MISSING_LIBRARY",
            f"The library {module.partition('.')[0]!r} is not installed",
            path=path,
            expected=f"the extra `{extra}`",
            received=told(error),
            suggestion=f'pip install "synode-df[{extra}]"',
        ) from error
