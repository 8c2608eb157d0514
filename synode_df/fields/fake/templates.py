"""Faker's formats: `{{tokens}}`, and masks of signs such as `###-??`."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Final

from synode_df.fields.fake.texts import NotColumnarError

_TOKEN: Final = re.compile(r"\{\{\s*(\w+)(:\s*\w+?)?\s*\}\}")

MASKS: Final[Mapping[str, Sequence[str]]] = {
    "#": tuple("0123456789"),
    "%": tuple("123456789"),
    "$": tuple("23456789"),
    "!": (*"0123456789", *[""] * 10),
    "@": (*"123456789", *[""] * 9),
}
"""What a sign of `numerify` stands for; each of the values is equally likely."""

_MOST_DIGITS: Final = 4


def tokens(text: str) -> Iterator[tuple[str, str]]:
    """The pieces of a format, each with the method that a token names, or with an empty name for plain text."""
    end = 0
    for token in _TOKEN.finditer(text):
        if token[2]:
            raise NotColumnarError("a token with arguments")
        if token.start() > end:
            yield text[end : token.start()], ""
        yield token[0], token[1]
        end = token.end()
    if end < len(text):
        yield text[end:], ""


def pieces(text: str, signs: Container[str]) -> Iterator[tuple[str, str]]:
    """The pieces of a mask, each with its sign, or with an empty one for plain text; digits come up to four at once."""
    rest = text
    while rest:
        sign = rest[0]
        if sign == "#" and "#" in signs:
            width = min(len(rest) - len(rest.lstrip("#")), _MOST_DIGITS)
        elif sign in signs:
            width = 1
        else:
            width = next((at for at, each in enumerate(rest) if each in signs), len(rest))
            sign = ""
        yield rest[:width], sign
        rest = rest[width:]
