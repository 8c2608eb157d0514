"""Copy the figures that the README shows from the tables in `docs/performance.md`, so that they cannot differ."""

from __future__ import annotations

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
README: Final = ROOT / "README.md"
BEGIN: Final = "<!-- figures: begin -->"
END: Final = "<!-- figures: end -->"
ROWS: Final = (
    "| what | events a second |",
    "|---|---:|",
    "| **S**, in memory, one process",
    "| **S**, to Parquet shards, two workers",
    "| S as a plain Python loop, to the same frame",
    "| Misata, users and their `Process` log",
    "| **H**, in memory, one process",
    "| H as a plain Python loop, to the same frame",
)


def figures() -> str:
    """The chosen rows of the table, with the line that says on what they were measured."""
    page = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8").splitlines()
    chosen = []
    for start in ROWS:
        found = [line for line in page if line.startswith(start)]
        if not found:
            raise SystemExit(f"docs/performance.md has no line that starts with {start!r}")
        chosen.append(found[0])
    measured = next(line for line in page if line.startswith("Measured on"))
    return "\n".join([*chosen, "", measured])


def with_figures(readme: str) -> str:
    """The README with these figures in it."""
    before, rest = readme.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n\n{figures()}\n\n{END}{after}"


if __name__ == "__main__":
    README.write_text(with_figures(README.read_text(encoding="utf-8")), encoding="utf-8")
