"""Questions about drawn texts, and what happens where rows have different answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NoReturn

import numpy as np

from synode_df.fields.columns import Positions
from synode_df.fields.fake import texts
from synode_df.fields.fake.texts import Branch, Choice, Codes, Draw, Literal, Node, NotColumnarError

_MOST_ANSWERS: Final = 256

Group = tuple[Codes, Positions]
"""Outcomes of a draw, and the rows that have one of them."""


class ForkError(BaseException):
    """The code goes different ways for different rows: run it again for each of the groups.

    Not an `Exception`, so that no provider's `except` takes it for one of its own.
    """

    def __init__(self, place: int, groups: Sequence[tuple[Group, float]]) -> None:
        super().__init__("rows go different ways")
        self.place = place
        self.groups = groups


def fork(draw: Draw, answers: Sequence[object]) -> NoReturn:
    """Have the code run again for each of the answers, of which there is one for each possible outcome of a draw."""
    possible = draw.possible()
    numbers: dict[object, int] = {}
    own = np.array([numbers.setdefault((type(answer), answer), len(numbers)) for answer in answers], dtype=np.intp)
    if len(numbers) > _MOST_ANSWERS:
        raise NotColumnarError("goes too many ways")
    of_code = np.zeros(draw.size, dtype=np.intp)
    of_code[possible] = own
    of_row = of_code[draw.codes]
    groups = []
    for number in range(len(numbers)):
        codes = possible[own == number]
        groups.append(((codes, np.flatnonzero(of_row == number)), draw.chance(codes)))
    raise ForkError(draw.place, groups)


def fork_branch(branch: Branch) -> NoReturn:
    """Have the code run again for each part of a branch."""
    raise ForkError(branch.place, [((part.codes, part.positions), part.chance) for part in branch.parts])


def fork_anywhere(node: Node) -> NoReturn:
    """Have the code run again for the values of the first draw in a text that has few of them."""
    if isinstance(node, Branch):
        fork_branch(node)
    if isinstance(node, Choice):
        values = texts.possible(node)
        if 1 < len(values) <= _MOST_ANSWERS:
            fork(node.draw, range(len(values)))
    if isinstance(node, texts.Concat):
        for part in node.parts:
            if isinstance(part, Branch) or (isinstance(part, Choice) and len(texts.possible(part)) <= _MOST_ANSWERS):
                fork_anywhere(part)
    raise NotColumnarError("looks into a drawn text")


def answer(node: Node, question: Callable[[str], Any]) -> Any:
    """The answer to a question about a text, if it is the same for all rows; else a fork."""
    if isinstance(node, Literal):
        return question(node.text)
    if isinstance(node, Choice):
        answers = [question(value) for value in texts.possible(node)]
        first = answers[0]
        if all(each == first and type(each) is type(first) for each in answers):
            return first
        fork(node.draw, answers)
    fork_anywhere(node)


def equal(node: Node, other: str) -> bool:
    """Whether a text is another one, if the answer is the same for all rows; else a fork."""
    if not isinstance(node, texts.Concat):
        return bool(answer(node, lambda value: value == other))
    start = 0
    for part in node.parts:
        if isinstance(part, Literal):
            if not other.startswith(part.text, start):
                return False
            start += len(part.text)
        elif isinstance(part, Choice):
            fitting = [other.startswith(value, start) for value in texts.possible(part)]
            if not any(fitting):
                return False
            lengths = {len(value) for value, fits in zip(texts.possible(part), fitting, strict=True) if fits}
            if not all(fitting):
                fork(part.draw, fitting)
            if len(lengths) > 1:
                fork(part.draw, [len(value) for value in texts.possible(part)])
            start += lengths.pop()
        else:
            fork_anywhere(part)
    return start == len(other)
