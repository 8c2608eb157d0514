"""A real browser, real Jupyter servers, and a listener for whatever goes wrong in a page."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.browser.jupyter import Jupyter
from tests.browser.watching import Watch

ROOT = Path(__file__).parents[2]
SCREENSHOTS = Path(__file__).parent / "screenshots"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-quic",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.filterwarnings("ignore::ResourceWarning"))


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """Chromium. Without one the tests fail where CI is set, and are skipped elsewhere."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        chromium = None
    if chromium is None:
        reason = "no Chromium or no Playwright: apt install chromium, make browser"
        if os.environ.get("CI", "").lower() in {"1", "true"}:
            pytest.fail(reason)
        pytest.skip(reason)
    SCREENSHOTS.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def open_page(browser: object) -> Iterator[Callable[..., Watch]]:
    """Opens pages that nothing but this machine can be reached from, and that note what goes wrong in them."""
    watches: list[Watch] = []

    def opened(*, width: int = 1200, height: int = 1600, dark: bool = False) -> Watch:
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
        )
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        context.set_default_timeout(60_000)
        watches.append(Watch(context.new_page()))
        return watches[-1]

    yield opened
    for watch in watches:
        watch.page.context.close()


@pytest.fixture(scope="session", params=["lab", "notebook"])
def jupyter(
    request: pytest.FixtureRequest, browser: object, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Jupyter]:
    """A server of JupyterLab, and one of Notebook 7, each with copies of the notebooks."""
    server = Jupyter(request.param, tmp_path_factory.mktemp(request.param), ROOT / "notebooks")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def lab(browser: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    """JupyterLab in its dark theme."""
    server = Jupyter("lab", tmp_path_factory.mktemp("dark"), ROOT / "notebooks", theme="JupyterLab Dark")
    server.start()
    yield server
    server.stop()
