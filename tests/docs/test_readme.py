"""What the README claims is what is measured, drawn and tested."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import synode_df as sd
from docs.figures import README, with_figures

ROOT = Path(__file__).parents[2]
TEXT = README.read_text(encoding="utf-8")


def test_figures_are_those_of_the_performance_page() -> None:
    assert with_figures(TEXT) == TEXT, "run: python docs/figures.py"


def test_no_other_figure_of_speed_is_claimed() -> None:
    shown = TEXT.split("<!-- figures: begin -->")[1].split("<!-- figures: end -->")
    assert (
        re.findall(
            r"\d[\d.]* ?(?:k|M|million) (?:events|users)? ?(?:a|per) second|\d+ ?(?:x|times) (?:as )?fast", shown[1]
        )
        == []
    )


def test_the_two_commands_stand_on_top() -> None:
    first = re.search(r"```bash\n(.*?)```", TEXT, re.DOTALL)
    assert [line.split("#")[0].strip() for line in first[1].splitlines()] == ["make demo", "make test"]
    assert TEXT.index(first[0]) < TEXT.index("```python")


def test_pictures_are_there_and_small() -> None:
    pictures = [ROOT / name for name in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", TEXT)]
    assert len(pictures) >= 2
    assert [picture.name for picture in pictures if picture.stat().st_size > 200_000] == []


def test_the_error_shown_is_the_error_raised() -> None:
    with pytest.raises(sd.SynodeError) as caught:
        sd.Adventure("buy", [sd.Action("order")], bounce_chance=30)
    assert f"```text\n{caught.value}\n```" in TEXT
