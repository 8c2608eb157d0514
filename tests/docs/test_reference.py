"""Every public name stands in the reference, once, and has what a reader looks for."""

from __future__ import annotations

import inspect
import re
from collections import Counter
from pathlib import Path

import pytest

import synode_df as sd

WITHOUT_EXAMPLE = {"WorkerPool"}  # its jobs are made by `generate`
REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
ENTRY = re.compile(r"^\.\. auto(?:class|function|data|exception):: synode_df\.(\S+)", re.MULTILINE)


def listed() -> Counter[str]:
    return Counter(name for page in REFERENCE.glob("*.md") for name in ENTRY.findall(page.read_text(encoding="utf-8")))


def test_every_public_name_is_in_the_reference_once() -> None:
    assert listed() == Counter(sd.__all__)


@pytest.mark.parametrize(
    "name", [name for name in sd.__all__ if callable(getattr(sd, name)) and name not in WITHOUT_EXAMPLE]
)
def test_every_callable_has_an_example(name: str) -> None:
    thing = getattr(sd, name)
    assert ">>>" in (inspect.getdoc(thing) or ""), f"{name} has no example in its docstring"


@pytest.mark.parametrize("name", [name for name in sd.__all__ if inspect.isfunction(getattr(sd, name))])
def test_every_parameter_is_described(name: str) -> None:
    function = getattr(sd, name)
    section = (inspect.getdoc(function) or "").partition("Parameters\n----------\n")[2].split("\n\n")[0]
    heads = [line.partition(" : ")[0] for line in section.splitlines() if not line.startswith(" ")]
    described = {word.strip(" *") for head in heads for word in head.split(",")}
    if "window" in described:  # the three of them, handed on
        described |= {"start_date", "end_date", "duration"}
    assert described >= set(inspect.signature(function).parameters)
