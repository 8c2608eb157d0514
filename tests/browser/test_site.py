"""The documentation site as it lies on the disk, with the network off."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser.conftest import ROOT, SCREENSHOTS
from tests.browser.watching import Watch

SITE = ROOT / "docs" / "_build" / "html"


@pytest.fixture(scope="session")
def site() -> Path:
    """The site, built if it is not there."""
    if not (SITE / "index.html").exists():
        subprocess.run([sys.executable, "-m", "sphinx", "-q", "-W", "-b", "html", ROOT / "docs", SITE], check=True)
    return SITE


def test_every_page_shows_without_a_network(site: Path, open_page: Callable[..., Watch]) -> None:
    watch = open_page()
    watch.page.context.set_offline(True)
    pages = sorted(page.relative_to(site) for page in site.rglob("*.html") if "_modules" not in page.parts)
    assert len(pages) > 40
    for page in pages:
        watch.page.goto((site / page).as_uri())
        assert watch.page.locator("h1").count() >= 1 or page.name in {
            "search.html",
            "genindex.html",
            "py-modindex.html",
        }
        broken = watch.page.evaluate("[...document.images].filter(i => !i.complete || !i.naturalWidth).map(i => i.src)")
        assert broken == [], page
        assert watch.wrong == [], page


def test_links_between_pages_lead_somewhere(site: Path, open_page: Callable[..., Watch]) -> None:
    watch = open_page()
    missing = set()
    for page in site.rglob("*.html"):
        if "_modules" in page.parts:
            continue
        watch.page.goto(page.as_uri())
        for link in watch.page.evaluate("[...document.links].map(a => a.href)"):
            if link.startswith("file:"):
                target = Path(link.removeprefix("file://").split("#")[0].split("?")[0])
                if not target.exists():
                    missing.add((str(page.relative_to(site)), link))
    assert missing == set()


def test_search_finds_without_a_network(site: Path, open_page: Callable[..., Watch]) -> None:
    watch = open_page()
    watch.page.goto((site / "index.html").as_uri())
    box = watch.page.get_by_role("textbox", name="Search").or_(watch.page.locator("input[name=q]")).first
    box.fill("lognormal")
    box.press("Enter")
    watch.page.wait_for_selector("#search-results ul.search li")
    assert watch.page.locator("#search-results a[href*='reference/fields']").count() >= 1
    assert watch.wrong == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1200, 800])
def test_texts_can_be_read_in_both_themes(width: int, dark: bool, site: Path, open_page: Callable[..., Watch]) -> None:
    watch = open_page(width=width, height=1000, dark=dark)
    for name in ("index", "start", "semantics", "reference/declaring", "notebooks/03_journeys"):
        watch.page.goto((site / f"{name}.html").as_uri())
        watch.page.wait_for_timeout(150)
        watch.screenshot(SCREENSHOTS / f"site-{name.replace('/', '-')}-{width}-{'dark' if dark else 'light'}.png")
        assert contrast(watch) >= 4.5, name
        # Only wide tables and code may scroll, inside their own boxes.
        assert watch.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 1, name


def contrast(watch: Watch) -> float:
    """The contrast between the text of the first paragraph and the page, as WCAG defines it."""
    return float(
        watch.page.evaluate(
            """() => {
              const light = colour => {
                const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3)
                  .map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
                return 0.2126 * r + 0.7152 * g + 0.0722 * b;
              };
              const text = light(getComputedStyle(document.querySelector('article p')).color);
              const page = light(getComputedStyle(document.body).backgroundColor);
              return (Math.max(text, page) + 0.05) / (Math.min(text, page) + 0.05);
            }"""
        )
    )


def test_a_request_to_another_machine_would_be_noticed(open_page: Callable[..., Watch]) -> None:
    watch = open_page()
    watch.page.set_content("<img src='https://example.org/picture.png'><script>console.error('broken')</script>")
    watch.page.wait_for_timeout(300)
    assert any("to another machine" in what for what in watch.wrong)
    assert any("console: broken" in what for what in watch.wrong)
