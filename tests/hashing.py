"""A hash of a frame's content that does not depend on how Polars hashes or lays out memory."""

from __future__ import annotations

import hashlib

import polars as pl


def content_hash(frame: pl.DataFrame) -> str:
    """SHA-256 over the schema and the rows as text."""
    text = f"{frame.schema}\n{frame.write_ndjson()}"
    return hashlib.sha256(text.encode()).hexdigest()
