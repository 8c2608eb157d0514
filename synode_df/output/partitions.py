"""Hive partitions: columns whose values stand in folders' names, and not in the files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote

import polars as pl

PARTITIONS: Final = ("date", "event", "persona_id", "journey_id", "adventure_id", "action_id")
"""What events can be partitioned by; `date` is that of the timestamp."""


@dataclass(frozen=True)
class Part:
    """The events of one partition, and its folder: `"date=2026-01-05/event=land/"`."""

    folder: str
    frame: pl.DataFrame


def quoted(text: str) -> str:
    """Text as part of a file's name: everything but letters, digits and `_.-~` as `%XX`, as Hive has it."""
    return quote(text, safe="")


def parts_of(events: pl.DataFrame, keys: tuple[str, ...]) -> Iterator[Part]:
    """The events of each partition, in their order, without the columns that the folder tells."""
    dated = events.with_columns(date=pl.col("timestamp").dt.date()) if "date" in keys else events
    for values, frame in dated.partition_by(keys, include_key=False, as_dict=True, maintain_order=True).items():
        folders = (f"{key}={quoted(str(value))}/" for key, value in zip(keys, values, strict=True))
        yield Part("".join(folders), frame)


def without(schema: pl.Schema, keys: tuple[str, ...]) -> pl.Schema:
    """A schema without the columns that folders tell."""
    return pl.Schema({name: dtype for name, dtype in schema.items() if name not in keys})


def declared_labels(schema: pl.Schema, keys: tuple[str, ...]) -> dict[str, list[str] | None]:
    """The labels of each key as far as they are declared, None for dates."""
    return {key: None if key == "date" else _labels(schema[key]) for key in keys}


def _labels(dtype: pl.DataType) -> list[str]:
    return dtype.categories.to_list() if isinstance(dtype, pl.Enum) else []


def hive_schema(files: Iterable[str], labels: Mapping[str, list[str] | None]) -> dict[str, pl.DataType]:
    """The types of the keys: declared labels first, then those that only folders' names tell."""
    found: dict[str, set[str]] = {key: set() for key in labels}
    for name in files:
        for folder in name.split("/")[:-1]:
            key, given, value = folder.partition("=")
            if given and key in found:
                found[key].add(unquote(value))
    return {
        key: pl.Date() if known is None else pl.Enum([*known, *sorted(found[key] - set(known))])
        for key, known in labels.items()
    }
