"""Declarations as the Python that makes them, laid out to be read and pasted into a notebook."""

from __future__ import annotations

import dataclasses
import datetime as dt
import keyword
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl

from synode_df.durations import SuppressionPeriod, TimeSpan, format_duration
from synode_df.fields.base import FieldGenerator
from synode_df.fields.choices import OneOf, Weighted
from synode_df.fields.declaration import Declaration, canonical
from synode_df.fields.expression_source import expression_source, text_source
from synode_df.fields.fake import Fake
from synode_df.fields.picks import Pick
from synode_df.fields.sequences import Sequence

WIDTH: Final = 88
_INDENT: Final = " " * 4
_PLAIN: Final = frozenset({type(None), bool, int, float, bytes, dt.date, dt.time, dt.datetime, dt.timedelta, Decimal})
_IMPORTS: Final = {
    "datetime.": "import datetime",
    "zoneinfo.": "import zoneinfo",
    "Decimal(": "from decimal import Decimal",
    "np.": "import numpy as np",
    "pl.": "import polars as pl",
    "sd.": "import synode_df as sd",
}
_KEYWORDS: Final = frozenset({"adventures", "actions", "attributes", "fields", "rows", "remember"})
_LAST: Final = ("remember", "fields", "attributes", "actions", "adventures")
"""What is long comes after what is short."""


@dataclasses.dataclass(frozen=True)
class Source:
    """Python that makes a declaration.

    Attributes
    ----------
    names : tuple of str
        The variables that the declarations are assigned to.
    text : str
        The program: imports, a comment about what it needs, the assignment.
    needs : mapping of str to object
        What text cannot hold (functions, handlers, frames, some expressions), by the names that stand for it.
    """

    names: tuple[str, ...]
    text: str
    needs: Mapping[str, object]


class _Group(NamedTuple):
    """Brackets with members, each behind a label such as `rows=`."""

    opening: str
    members: list[tuple[str, _Node]]
    closing: str


_Node = str | _Group


def source_of(*declarations: Declaration) -> Source:
    """The Python that makes one declaration, or several in turn.

    Parameters
    ----------
    *declarations : Persona, Journey, Dataset, Action, Adventure or FieldGenerator
        What to write.

    Returns
    -------
    Source
        Running `text`, with `needs` defined before, makes equal declarations.

    Examples
    --------
    >>> import synode_df as sd
    >>> print(source_of(sd.Persona("shopper", {"device": sd.weighted({"mobile": 0.7, "desktop": 0.3})})).text)
    import synode_df as sd
    <BLANKLINE>
    shopper = sd.Persona(
        "shopper", attributes={"device": sd.weighted({"mobile": 0.7, "desktop": 0.3})}
    )
    """
    writer = _Writer()
    names, statements = [], []
    for declaration in declarations:
        name = writer.free_name(_identifier(getattr(declaration, "id", ""), type(declaration).__name__.lower()))
        writer.reserve(name)
        names.append(name)
        node = writer.node(declaration)
        statements.append(f"{name} = {_laid_out(node, 0, len(name) + 3)}")
    body = "\n".join(statements)
    imports = [line for mark, line in _IMPORTS.items() if re.search(rf"(?<![\w.]){re.escape(mark)}", body)]
    head = ["\n".join(imports), ""] if imports else []
    if writer.needs:
        head.append(f"# Yours to define before: {', '.join(writer.described())}")
    return Source(tuple(names), "\n".join([*head, body]), writer.needs)


def value_source(value: object) -> str:
    """A field value in one line, for people: what text cannot hold is shown by its name, or as Polars prints it."""
    if isinstance(value, pl.Expr):
        return expression_source(value) or str(value)
    if callable(value) and not isinstance(value, Declaration):
        return f"{getattr(value, '__qualname__', type(value).__qualname__)}()"
    return _flat(_Writer().node(value))


class _Writer:
    """Turns values into nodes, and collects what cannot be written."""

    def __init__(self) -> None:
        self.needs: dict[str, object] = {}
        self._taken = {"sd", "pl", "np", "datetime", "zoneinfo", "Decimal"}

    def reserve(self, name: str) -> None:
        self._taken.add(name)

    def free_name(self, wanted: str) -> str:
        name, number = wanted, 1
        while name in self._taken:
            number += 1
            name = f"{wanted}_{number}"
        return name

    def described(self) -> Iterator[str]:
        """What each name stands for, in words that fit a comment."""
        for name, value in self.needs.items():
            if isinstance(value, pl.Expr):
                words = f"the expression {value}"
            elif isinstance(value, pl.DataFrame):
                words = f"a frame of {value.height:,} rows"
            elif isinstance(value, type):
                words = "your class"
            else:
                words = "your function" if callable(value) else f"a {type(value).__name__}"
            yield f"{name} ({' '.join(words.split())})"

    def named(self, value: object, wanted: str) -> str:
        """The name under which something must be defined before."""
        for name, other in self.needs.items():
            if other is value:
                return name
        name = self.free_name(_identifier(wanted, "value"))
        self.reserve(name)
        self.needs[name] = value
        return name

    def node(self, value: object) -> _Node:
        if isinstance(value, Declaration):
            return self._declaration(value)
        if isinstance(value, TimeSpan):
            return self._time_span(value)
        if isinstance(value, pl.Expr):
            return expression_source(value) or self.named(value, "expression")
        if type(value) is str:
            return text_source(value)
        if type(value) is float and not np.isfinite(value):
            return f'float("{value}")'
        if type(value) in _PLAIN or isinstance(value, np.generic):
            return repr(value)
        if isinstance(value, Mapping):
            entries: list[tuple[str, _Node]] = []
            for key, part in value.items():
                label = self.node(key)
                entries.append((f"{label if isinstance(label, str) else _flat(label)}: ", self.node(part)))
            return _Group("{", entries, "}")
        if type(value) in (list, tuple):
            return self._listed(value)  # type: ignore[arg-type]  # it is a list or a tuple
        return self.named(value, getattr(value, "__name__", _snake(type(value).__name__)))

    def _listed(self, value: list[object] | tuple[object, ...]) -> _Node:
        members: list[tuple[str, _Node]] = [("", self.node(part)) for part in value]
        if isinstance(value, list):
            return _Group("[", members, "]")
        return _Group("(", members, ",)" if len(value) == 1 else ")")

    def _time_span(self, span: TimeSpan) -> _Node:
        ends = [text_source(format_duration(span.min))]
        if span.max != span.min:
            ends.append(text_source(format_duration(span.max)))
        if span.distribution == "uniform" or isinstance(span, SuppressionPeriod):
            return _Group("(", [("", end) for end in ends], ")") if len(ends) == 2 else ends[0]
        parts: list[tuple[str, _Node]] = [("", end) for end in ends]
        return _Group("sd.TimeSpan(", [*parts, ("distribution=", text_source(span.distribution))], ")")

    def _declaration(self, value: Declaration) -> _Node:
        if isinstance(value, Weighted):
            weights: list[tuple[str, _Node]] = []
            for each, weight in value.weights:
                weights.append((f"{_flat(self.node(each))}: ", self.node(weight)))
            return _Group("sd.weighted(", [("", _Group("{", weights, "}"))], ")")
        if isinstance(value, OneOf):
            return _Group("sd.one_of(", [("", self.node(list(value.values)))], ")")
        if isinstance(value, Fake):
            options = [("", value.method), *(("", part) for part in value.args)]
            return self._call("sd.fake", [*options, *((f"{name}=", part) for name, part in value.kwargs.items())])
        rows = getattr(value, "frame", None)
        if isinstance(rows, pl.DataFrame):
            id = getattr(value, "id", "dataset")
            frame = self.named(rows, f"{_identifier(id, 'dataset')}_rows")
            return _Group("sd.Dataset.from_frame(", [("", text_source(id)), ("", frame)], ")")
        ours = type(value).__module__.split(".")[0] == __name__.split(".", maxsplit=1)[0]
        if not ours and not (dataclasses.is_dataclass(value) and isinstance(value, FieldGenerator)):
            return self.named(value, _snake(type(value).__name__))
        factory = (
            f"sd.{value._factory or type(value).__name__}" if ours else self.named(type(value), type(value).__name__)
        )
        return self._call(factory, _options(value))

    def _call(self, function: str, options: Iterable[tuple[str, object]]) -> _Node:
        return _Group(f"{function}(", [(label, self.node(part)) for label, part in options], ")")


def _options(value: Declaration) -> list[tuple[str, object]]:
    """A declaration's arguments with their keywords, those left out that have their default."""
    positional: list[tuple[str, object]] = []
    named: list[tuple[str, object]] = []
    for field in dataclasses.fields(value):  # type: ignore[arg-type]  # every declaration is a dataclass
        part = getattr(value, field.name)
        if not field.init:
            continue
        default = field.default
        if default is dataclasses.MISSING and field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        required = default is dataclasses.MISSING
        if not required and canonical(part) == canonical(default):
            continue
        if field.name in ("adventures", "actions", "requires") or isinstance(value, Pick):
            part = list(part) if isinstance(part, tuple) else part
        leading = (isinstance(value, Sequence) and field.name == "template") or (
            isinstance(value, Pick) and field.name == "columns"
        )
        if (required and field.name not in _KEYWORDS) or leading:
            positional.append(("", part))
        else:
            named.append((f"{field.name}=", part))
    order = {f"{name}=": place for place, name in enumerate(_LAST)}
    named.sort(key=lambda option: order.get(option[0], -1))
    return positional + named


def _flat(node: _Node) -> str:
    if isinstance(node, str):
        return node
    return node.opening + ", ".join(label + _flat(member) for label, member in node.members) + node.closing


def _laid_out(node: _Node, depth: int, taken: int) -> str:
    """A node's text where `taken` characters of its line are used: in one line if it fits, else one for each member."""
    flat = _flat(node)
    if isinstance(node, str) or not node.members or len(_INDENT) * depth + taken + len(flat) <= WIDTH:
        return flat
    only = node.members[0][1] if len(node.members) == 1 and not node.members[0][0] else ""
    if node.opening.endswith("(") and isinstance(only, _Group) and only.opening in "[{":
        return _laid_out(_Group(node.opening + only.opening, only.members, only.closing + node.closing), depth, taken)
    inner = _INDENT * (depth + 1)
    in_one = ", ".join(label + _flat(member) for label, member in node.members)
    closing = node.closing.lstrip(",")
    if len(inner) + len(in_one) <= WIDTH and node.opening.endswith("(") and node.closing == ")":
        return f"{node.opening}\n{inner}{in_one}\n{_INDENT * depth}{closing}"
    lines = [
        f"{inner}{label}{_laid_out(member, depth + 1, len(label) + 1)},"  # + 1 for the comma
        for label, member in node.members
    ]
    return "\n".join([node.opening, *lines, _INDENT * depth + closing])


def _identifier(text: Any, fallback: str) -> str:
    name = re.sub(r"\W+", "_", str(text), flags=re.ASCII).strip("_")
    if not name:
        return fallback
    if name[0].isdigit():
        name = f"{fallback}_{name}"
    return f"{name}_" if keyword.iskeyword(name) else name


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
