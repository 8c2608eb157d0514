"""Every Python block of the README and the docs runs, top to bottom, in one namespace for each file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUILT = (ROOT / "docs" / "_build", ROOT / "docs" / "notebooks")
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *(page for page in sorted((ROOT / "docs").rglob("*.md")) if not any(page.is_relative_to(made) for made in BUILT)),
]
BLOCK = re.compile(r"^```python([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)")


def run_blocks(page: Path) -> int:
    """Run the page's blocks, compile those marked `no-run`, and count the ones that ran."""
    text = page.read_text(encoding="utf-8")
    namespace: dict[str, object] = {"__name__": "__main__"}
    ran = 0
    for block in BLOCK.finditer(text):
        options, source = block[1], block[2]
        line = text[: block.start()].count("\n") + 1
        # Line numbers in a traceback are those of the page.
        compiled = compile("\n" * line + source, str(page), "exec")
        if "no-run" not in options:
            exec(compiled, namespace)
            ran += 1
    return ran


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_python_blocks_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = page.read_text(encoding="utf-8")
    # Counted without the pattern that finds the blocks: a fence that it overlooks would pass unseen.
    fences = [line for line in text.splitlines() if line.lstrip().startswith("```python")]
    assert run_blocks(page) == len(fences) - sum("no-run" in fence for fence in fences)


def test_few_blocks_are_not_run() -> None:
    fences = [line for page in PAGES for line in page.read_text(encoding="utf-8").splitlines() if "```python" in line]
    assert sum("no-run" in fence for fence in fences) <= len(fences) * 0.1


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    broken = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if not (page.parent / link).exists()]
    assert broken == []


@pytest.mark.parametrize("text", ["```python\nassert 1 == 2\n```\n", "```python no-run\nassert 1 = 2\n```\n"])
def test_a_block_that_fails_is_noticed(text: str, tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(text, encoding="utf-8")
    with pytest.raises((AssertionError, SyntaxError)):
        run_blocks(tmp_path / "page.md")
