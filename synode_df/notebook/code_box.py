"""Code to take away: a block of it with a button that copies it."""

from __future__ import annotations

from pathlib import Path

import anywidget
import traitlets

_HERE = Path(__file__).parent


class CodeBox(anywidget.AnyWidget):
    """A block of code and a button that copies it.

    Parameters
    ----------
    code : str
        The text.
    label : str
        What it is, for screen readers.
    """

    _esm = _HERE / "copy_button.js"
    _css = _HERE / "copy_button.css"
    code = traitlets.Unicode().tag(sync=True)
    label = traitlets.Unicode("Copy code").tag(sync=True)
