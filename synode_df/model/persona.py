"""Personas: who the users are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from synode_df import checks
from synode_df.errors import SynodeError, shown
from synode_df.fields.choices import OneOf, Weighted, checked_weights
from synode_df.fields.declaration import Declaration, FrozenMapping
from synode_df.fields.expressions import names_read
from synode_df.fields.fake import check_locale
from synode_df.fields.values import FieldValue, checked_fields, expressions_in, is_callback
from synode_df.model.event import RESERVED_NAMES, refuse_names
from synode_df.model.source import value_source
from synode_df.model.tables import code_cell, named, table_html, text_cell


@dataclass(frozen=True, init=False, eq=False, repr=False)
class Persona(Declaration):
    """A kind of user: attributes, drawn once per user and kept for all journeys.

    Parameters
    ----------
    id : str
        Its name in the `persona_id` column where personas are mixed.
    attributes : mapping of str to field value
        What each user has. Expressions may read attributes above them. The attribute `locale` drives Faker.
    name : str, optional
        A name for people.

    Raises
    ------
    SynodeError
        `INVALID_ID`, `INVALID_FIELD`, `FIELD_NAME_COLLISION`, `EXPRESSION_NOT_ROW_WISE`.

    Examples
    --------
    >>> import synode_df as sd
    >>> sd.Persona("shopper", {"device": sd.weighted({"mobile": 0.7, "desktop": 0.3}), "is_member": sd.chance(0.35)})
    Persona('shopper', {'device': weighted({'mobile': 0.7, 'desktop': 0.3}), 'is_member': chance(0.35)})
    """

    id: str
    attributes: FrozenMapping[FieldValue]
    name: str | None = None

    def __init__(self, id: str, attributes: Mapping[str, FieldValue], *, name: str | None = None) -> None:
        path = f"Persona {shown(checks.identifier(id, what='Persona'), 60)}"
        own = checked_fields(attributes, path=path)
        refuse_names(own, RESERVED_NAMES, path)
        for locale in _locales(own.get("locale")) or ():
            check_locale(locale, path)
        put = object.__setattr__
        put(self, "id", id)
        put(self, "attributes", own)
        put(self, "name", checks.optional_text(name, what="name", path=path))

    def drawing_order(self) -> Iterator[tuple[str, FieldValue]]:
        """Attributes in the order in which they are drawn: as declared, but `locale` and what it reads first.

        So the place of `locale` among the attributes changes no Faker value.
        """
        first: dict[str, FieldValue] = {}
        if "locale" in self.attributes and not is_callback(self.attributes["locale"]):
            self._gather("locale", first)
        yield from first.items()
        yield from ((name, value) for name, value in self.attributes.items() if name not in first)

    def _gather(self, name: str, found: dict[str, FieldValue]) -> None:
        value = self.attributes[name]
        for expression in expressions_in(value):
            for read in names_read(expression):
                if read in self.attributes and read not in found and read != name:
                    self._gather(read, found)
        found[name] = value

    def possible_locales(self) -> tuple[str, ...] | None:
        """The locales that its users can have, or None if they are computed for each user."""
        return _locales(self.attributes.get("locale"))

    def __str__(self) -> str:
        lines = [f"{name}  {value_source(value)}" for name, value in self.attributes.items()]
        return "\n".join([self.id, *(f"  {line}" for line in lines)])

    def _repr_html_(self) -> str:
        rows = ([text_cell(name), code_cell(value)] for name, value in self.attributes.items())
        return table_html(f"Persona {named(self.id, self.name)}", ("attribute", "declared as"), rows)


def _locales(value: FieldValue) -> tuple[str, ...] | None:
    """What the attribute `locale` can be; users without one have Faker's default."""
    if isinstance(value, Weighted):
        listed: list[object] = [each for each, weight in value.weights if weight]
    elif isinstance(value, OneOf):
        listed = list(value.values)
    elif value is None or isinstance(value, str):
        listed = [value]
    else:
        return None
    return tuple("en_US" if each is None else str(each) for each in listed)


PersonaMixture = Persona | Iterable[tuple[Persona, float]]
"""One persona, or pairs of persona and weight."""


def checked_personas(personas: Any) -> tuple[tuple[Persona, float], ...]:
    """Personas with their weights, from one persona, weighted pairs, or None.

    Raises
    ------
    SynodeError
        `INVALID_PERSONA`, `INVALID_WEIGHTS`, `DUPLICATE_ID`.
    """
    if personas is None:
        return ()
    if isinstance(personas, Persona):
        return ((personas, 1.0),)
    pairs = tuple(personas) if isinstance(personas, Iterable) and not isinstance(personas, str | Mapping) else (None,)
    for pair in pairs:
        if not (isinstance(pair, tuple | list) and len(pair) == 2 and isinstance(pair[0], Persona)):
            raise SynodeError(
                "INVALID_PERSONA",
                "`persona` must be a persona, or pairs of persona and weight",
                path="persona",
                expected="a Persona, or a list such as [(shopper, 0.9), (bot, 0.1)]",
                received=shown(pair if isinstance(personas, tuple | list) else personas),
                suggestion="give each persona of a mixture its weight",
            )
    checked_weights([weight for _, weight in pairs], "persona")
    checks.unique((persona.id for persona, _ in pairs), what="personas", path="persona")
    return tuple((persona, float(weight)) for persona, weight in pairs)
