"""Filling in Faker's formats, of which each row may have another one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from synode_df.fields.fake import texts
from synode_df.fields.fake.drawing import Drawing
from synode_df.fields.fake.forks import fork, fork_branch
from synode_df.fields.fake.numbers import Number
from synode_df.fields.fake.tables import series_of, text_series
from synode_df.fields.fake.templates import pieces, tokens
from synode_df.fields.fake.texts import Branch, Choice, Literal, Node

Masks = Mapping[str, Sequence[str]]


def parsed(maker: Drawing, text: str) -> Node:
    """A format with its tokens replaced."""
    return _each_literal(maker, maker.resolved(text), partial(tokens_replaced, maker))


def masked(maker: Drawing, text: str, masks: Masks) -> Node:
    """A mask with its signs replaced."""
    return _each_literal(maker, maker.resolved(text), lambda literal: signs_replaced(maker, literal, masks), masks)


def _each_literal(maker: Drawing, node: Node, change: Callable[[str], Node], masks: Masks | None = None) -> Node:
    """A text whose literals are formats. Where formats are drawn, the code is run for each of them on its own."""
    signs = ("{{",) if masks is None else tuple(masks)
    if isinstance(node, Literal):
        return change(node.text)
    if isinstance(node, texts.Concat):
        return texts.joined(tuple(_each_literal(maker, part, change, masks) for part in node.parts))
    if isinstance(node, Choice):
        values = texts.possible(node)
        if not any(sign in value for sign in signs for value in values):
            return node
        if len(set(values)) == 1:
            return change(values[0])
        if masks is None:
            fork(node.draw, values)
        shapes = [tuple((sign, len(piece) if sign else 0) for piece, sign in pieces(value, masks)) for value in values]
        if len(set(shapes)) > 1:
            fork(node.draw, shapes)
        plain = [
            sign or texts.mapped(node, partial(_piece, masks, number), ("piece", number, *masks))
            for number, (sign, _) in enumerate(shapes[0])
        ]
        first = [piece for piece, _ in pieces(values[0], masks)]
        return texts.joined(
            tuple(
                _sign(maker, first[at], each, masks) if isinstance(each, str) else each for at, each in enumerate(plain)
            )
        )
    if isinstance(node, Branch):
        if not _has(node, signs):
            return node
        fork_branch(node)
    return node  # computed texts are digits and letters


def tokens_replaced(maker: Drawing, text: str) -> Node:
    """A literal format with its tokens replaced."""
    parts: list[Node] = []
    for piece, token in tokens(text):
        if not token:
            parts.append(Literal(piece))
            continue
        value = maker.call(token, (), {})
        parts.append(value.node() if isinstance(value, Number) else maker.resolved(_shown(value)))
    return texts.joined(tuple(parts))


def signs_replaced(maker: Drawing, text: str, masks: Masks) -> Node:
    """A literal mask with its signs replaced; digits next to each other are drawn as one number."""
    return texts.joined(
        tuple(_sign(maker, piece, sign, masks) if sign else Literal(piece) for piece, sign in pieces(text, masks))
    )


def _sign(maker: Drawing, piece: str, sign: str, masks: Masks) -> Node:
    if sign == "#":
        width = len(piece)
        values = series_of(("digits", width), lambda: [f"{number:0{width}d}" for number in range(10**width)])
    else:
        values = text_series(masks[sign])
    return _settled(Choice(values, maker.draw(len(values))))


def _piece(masks: Masks, number: int, value: str) -> str:
    """A piece of a mask."""
    return [piece for piece, _ in pieces(value, masks)][number]


def _settled(node: Node) -> Node:
    """A choice of which one outcome is possible, as what it is."""
    if isinstance(node, Choice) and node.draw.allowed is not None and len(node.draw.allowed) == 1:
        return Literal(texts.possible(node)[0])
    return node


def _has(node: Node, signs: Any) -> bool:
    """Whether a text may have signs of a format in it."""
    if isinstance(node, Literal):
        return any(sign in node.text for sign in signs)
    if isinstance(node, Choice):
        return any(sign in value for sign in signs for value in texts.possible(node))
    if isinstance(node, Branch):
        return any(_has(part.node, signs) for part in node.parts)
    return isinstance(node, texts.Concat) and any(_has(part, signs) for part in node.parts)


def _shown(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) else value
