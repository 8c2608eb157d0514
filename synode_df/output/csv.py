"""CSV: one file, plain or compressed."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from synode_df.errors import SynodeError, shown
from synode_df.output.files import FileAdapter, FileCompression, FileMode
from synode_df.output.sink_types import SinkTypes


class CSVAdapter(FileAdapter):
    """Writes events to one CSV file with a header.

    The file appears whole when the run has ended, or not at all. Structs and lists are JSON text, durations ISO 8601
    text, bytes Base64 text, times in ISO 8601 with their offset. Tables of a star schema land beside it:
    `events-users.csv`, `events-dataset_products.csv`.

    Parameters
    ----------
    path : str or Path
        The file; its folder must exist.
    mode : {"create", "overwrite"}, default "create"
        Refuse a file that is there, or replace it.
    compression : {"gzip", "zstd", "uncompressed"}, optional
        By the end of the name (`.gz`, `.zst`) if not given.
    separator : str, default ","
        The character between values.

    Raises
    ------
    SynodeError
        `INVALID_OPTION`; at the start of a run `OUTPUT_ERROR` where the file is there or cannot be written.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import synode_df as sd
    >>> visit = sd.Journey("visit", [sd.Adventure("look", [sd.Action("land", fields={"tags": ["a", "b"]})])])
    >>> file = pathlib.Path(tempfile.mkdtemp(), "events.csv")
    >>> _ = sd.generate(visit, users=1, adapter=sd.CSVAdapter(file), seed=1)
    >>> print(file.read_text().splitlines()[1].split(",", 4)[4])
    2026-01-25T21:55:38.191477+0000,visit,look,land,"[""a"",""b""]"
    """

    types = SinkTypes(labels=True, unsigned=True, wide=True, binary=False, moments="any", nulls=True)
    endings = (".csv", ".tsv", ".txt")

    def __init__(
        self,
        path: str | Path,
        *,
        mode: FileMode = "create",
        compression: FileCompression | None = None,
        separator: str = ",",
    ) -> None:
        super().__init__(path, mode=mode, compression=compression)
        if not isinstance(separator, str) or len(separator.encode()) != 1 or separator in '"\n\r':
            raise SynodeError(
                "INVALID_OPTION",
                "`separator` must be one character",
                path="CSVAdapter",
                expected='one ASCII character other than a quote or a line break, such as "," ";" or "\\t"',
                received=shown(separator),
                suggestion='use separator=";"',
            )
        self._separator = separator

    def _sink(self, frames: pl.LazyFrame, file: Path) -> None:
        frames.sink_csv(file, compression=self._compression, check_extension=False, separator=self._separator)
