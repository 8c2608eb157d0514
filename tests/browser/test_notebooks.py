"""Each notebook is opened and run by hand, in JupyterLab and in Notebook 7: nothing fails, nothing leaves the machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser.conftest import ROOT, SCREENSHOTS
from tests.browser.jupyter import Jupyter, errors
from tests.browser.watching import Watch

NOTEBOOKS = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebook_runs_without_a_failed_request_or_console_error(
    name: str, jupyter: Jupyter, open_page: Callable[..., Watch]
) -> None:
    watch = open_page()
    assert errors(jupyter.run(watch, name)) == []
    stem = f"{jupyter.kind}-{Path(name).stem}"
    for width in (1200, 800):
        watch.page.set_viewport_size({"width": width, "height": 1600})
        watch.page.wait_for_timeout(300)
        watch.screenshot(SCREENSHOTS / f"{stem}-{width}.png")
    assert watch.wrong == []
    jupyter.close(watch)
