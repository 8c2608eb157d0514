"""Parts of drawn texts: slices and words."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from synode_df.fields.fake.forks import ForkError, fork, fork_anywhere, fork_branch
from synode_df.fields.fake.texts import (
    Branch,
    Choice,
    Computed,
    Concat,
    Literal,
    Node,
    NotColumnarError,
    Part,
    joined,
    mapped,
    possible,
)


def cut(node: Node, start: int | None, stop: int | None) -> Node:
    """`text[start:stop]` with bounds of 0 or more, where every part that a bound may fall into is long enough."""
    if isinstance(node, Literal):
        return Literal(node.text[start:stop])
    if isinstance(node, Choice | Computed):
        return mapped(node, lambda value: value[start:stop], ("cut", start, stop))
    if isinstance(node, Branch):
        return _each_part(node, lambda part: cut(part, start, stop))
    head = node.parts[0]
    texts = possible(head) if isinstance(head, Choice) else [head.text] if isinstance(head, Literal) else [""]
    least = min(map(len, texts))
    if stop is not None and stop <= least:
        return cut(head, start, stop)
    if stop is None and (start or 0) <= least:
        return joined((cut(head, start, None), *node.parts[1:]))
    if isinstance(head, Choice) and len(set(map(len, texts))) > 1:
        fork(head.draw, list(map(len, texts)))
    bounds = [bound for bound in (start, stop) if bound is not None]
    if isinstance(head, Choice | Literal) and all(bound == 0 or bound >= least for bound in bounds):
        rest = joined(node.parts[1:])
        ends = [None if bound is None else max(0, bound - least) for bound in (start, stop)]
        return joined((cut(head, start, stop), cut(rest, *ends)))
    raise NotColumnarError("cuts a text that is put together")


def _each_part(branch: Branch, change: Callable[[Node], Node]) -> Node:
    """A branch after a change of each of its parts."""
    try:
        parts = [Part(part.codes, part.positions, part.chance, change(part.node)) for part in branch.parts]
    except ForkError:  # about some of the rows only: first let the code run for these alone
        fork_branch(branch)
    return Branch(branch.place, tuple(parts))


def words(node: Node) -> list[Node]:
    """The text split at its blanks, where they stand in the same places for every row."""
    found: list[list[Node]] = [[]]
    for part in node.parts if isinstance(node, Concat) else (node,):
        if isinstance(part, Literal):
            first, *rest = part.text.split(" ")
            found[-1].append(Literal(first))
            found += [[Literal(word)] for word in rest]
        elif isinstance(part, Choice) and not any(" " in value for value in possible(part)):
            found[-1].append(part)
        elif isinstance(part, Choice):
            counts = [value.count(" ") for value in possible(part)]
            if len(set(counts)) > 1:
                fork(part.draw, counts)
            for number in range(counts[0] + 1):
                if number:
                    found.append([])
                found[-1].append(mapped(part, partial(_nth, number), ("word", number)))
        else:
            fork_anywhere(part)
    return [joined(tuple(each)) for each in found]


def first_word(node: Node) -> Node:
    """The text up to its first blank."""
    if isinstance(node, Choice | Literal | Computed):
        return mapped(node, _up_to_blank, "first word")
    if isinstance(node, Branch):
        return _each_part(node, first_word)
    start: list[Node] = []
    for part in node.parts:
        texts = possible(part) if isinstance(part, Choice) else [part.text] if isinstance(part, Literal) else None
        if texts is None:
            fork_anywhere(part)
        blanks = sum(" " in text for text in texts)
        if blanks == len(texts):
            return joined((*start, first_word(part)))
        if blanks and isinstance(part, Choice):
            fork(part.draw, [" " in text for text in texts])
        start.append(part)
    return node


def _nth(number: int, value: str) -> str:
    return value.split(" ")[number]


def _up_to_blank(value: str) -> str:
    return value.split(" ", maxsplit=1)[0]
