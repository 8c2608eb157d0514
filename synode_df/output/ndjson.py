"""NDJSON: one JSON object a line, in one file, plain or compressed."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from synode_df.output.files import FileAdapter
from synode_df.output.sink_types import JSON


class NDJSONAdapter(FileAdapter):
    """Writes events to one file of newline-delimited JSON, which others call JSON Lines.

    The file appears whole when the run has ended, or not at all. Structs and lists are JSON objects and arrays, times
    and durations ISO 8601 text, decimals text with all their digits, bytes Base64 text, NaN and infinities null. Every
    line has every field. Tables of a star schema land beside it: `events-users.ndjson`.

    Parameters
    ----------
    path : str or Path
        The file; its folder must exist.
    mode : {"create", "overwrite"}, default "create"
        Refuse a file that is there, or replace it.
    compression : {"gzip", "zstd", "uncompressed"}, optional
        By the end of the name (`.gz`, `.zst`) if not given.

    Raises
    ------
    SynodeError
        `INVALID_OPTION`; at the start of a run `OUTPUT_ERROR` where the file is there or cannot be written.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import polars as pl
    >>> import synode_df as sd
    >>> visit = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land", fields={"tags": ["a", "b"]})])])
    >>> file = pathlib.Path(tempfile.mkdtemp(), "events.ndjson.gz")
    >>> _ = sd.generate(visit, users=2, adapter=sd.NDJSONAdapter(file))
    >>> pl.read_ndjson(file)["tags"].to_list()
    [['a', 'b'], ['a', 'b']]
    """

    types = JSON
    endings = (".ndjson", ".jsonl", ".json")

    def _sink(self, frames: pl.LazyFrame, file: Path) -> None:
        frames.sink_ndjson(file, compression=self._compression, check_extension=False)
