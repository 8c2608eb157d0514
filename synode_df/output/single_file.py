"""One Parquet file, put together from parts that landed beside it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final, Literal

import polars as pl

from synode_df.errors import shown
from synode_df.output.landing import Landing, Mode, check_same, landing_error
from synode_df.output.local import LocalStorage
from synode_df.output.manifest import Manifest
from synode_df.output.storage import UNFINISHED

Compression = Literal["zstd", "lz4", "snappy", "gzip", "brotli", "uncompressed"]

METADATA_KEY: Final = "synode_df"
"""Under this key the file's own metadata holds the manifest."""


class SingleFile:
    """The file of a run, and the folder of its parts.

    Parameters
    ----------
    target : Path
        The file.

    Attributes
    ----------
    parts : LocalStorage
        Where the parts land until the run is complete.
    finished : bool
        Whether the file of the run that is resumed is complete already.
    """

    def __init__(self, target: Path) -> None:
        self.target = target
        self.parts = LocalStorage(target.with_name(f"{target.name}.{UNFINISHED.lstrip('_')}"))
        self.finished = False

    def begin(self, landing: Landing, *, mode: Mode, resume: bool) -> None:
        """Claim the folder of parts; refuse, keep or later replace a file that is there.

        Raises
        ------
        SynodeError
            `OUTPUT_ERROR`.
        """
        self.finished = False
        if self.target.exists() and mode == "create":
            manifest = manifest_of(self.target) if resume else None
            if manifest is None:
                raise landing_error(
                    "The target file is there already",
                    expected="no such file yet",
                    received=shown(str(self.target)),
                    suggestion='choose another name, or mode="overwrite" to replace it',
                )
            check_same(manifest, landing.config)
            self.finished = True
            landing.complete = manifest
        landing.begin(mode=mode, resume=resume)

    def finish(self, landing: Landing, *, compression: Compression, compression_level: int | None) -> None:
        """Put the parts together, a piece at a time, and give up the claim."""
        if not self.finished:
            whole = landing.manifest(complete=True)
            events = [file.name for record in landing.in_order() for file in record.shard.files]
            outputs = {self.target: events}
            for name, files in whole.tables.items():
                outputs[self.beside(name)] = [file.name for file in files]
            metadata = {METADATA_KEY: Manifest(True, whole.config, tally=whole.tally).to_json()}
            for file, names in reversed(outputs.items()):  # the events last: once they are there, all is
                aside = self.parts.root / UNFINISHED / "whole.tmp"
                pl.scan_parquet([self.parts.root / name for name in names], glob=False).sink_parquet(
                    aside,
                    compression=compression,
                    compression_level=compression_level,
                    metadata=metadata if file == self.target else None,
                )
                aside.replace(file)
        landing.stop(discard=True)
        shutil.rmtree(self.parts.root, ignore_errors=True)

    def beside(self, table: str) -> Path:
        """The file of a table: `events.parquet` has its users in `events-users.parquet`."""
        return self.target.with_name(f"{self.target.stem}-{table}{self.target.suffix}")


def manifest_of(file: Path) -> Manifest | None:
    """The manifest in a file's own metadata, or None."""
    try:
        text = pl.read_parquet_metadata(file).get(METADATA_KEY)
        return None if text is None else Manifest.from_json(text)
    except (OSError, pl.exceptions.PolarsError, ValueError, KeyError, TypeError):
        return None
