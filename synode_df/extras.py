"""Libraries that are not everybody's: imported when first needed, with an error that says how to get them."""

from __future__ import annotations

import importlib
from types import ModuleType

from synode_df.errors import SynodeError, told


def import_extra(module: str, *, extra: str, purpose: str) -> ModuleType:
    """A module of an optional library.

    Parameters
    ----------
    module : str
        What to import, such as `"plotly.graph_objects"`.
    extra : str
        The extra of this package that installs it.
    purpose : str
        What it is needed for, as the start of the error's sentence: "Charts".

    Returns
    -------
    module

    Raises
    ------
    SynodeError
        `MISSING_LIBRARY`, with the command that installs it.

    Examples
    --------
    >>> import_extra("math", extra="notebook", purpose="Charts").floor(1.5)
    1
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise SynodeError(
            "MISSING_LIBRARY",
            f"{purpose} need a library that is not installed",
            path=f"import {module}",
            expected=f"the library {module.partition('.')[0]!r}",
            received=told(error),
            suggestion=f'pip install "synode-df[{extra}]"',
        ) from error
