"""From a path or an address to the storage there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from synode_df.output.cloud import CloudStorage
from synode_df.output.local import LocalStorage
from synode_df.output.storage import Storage


def open_storage(place: str | Path, storage_options: Mapping[str, str] | None) -> Storage:
    """The storage at a path, or at the address of an object store.

    Raises
    ------
    SynodeError
        `MISSING_LIBRARY` for an address without the extra `cloud`; `OUTPUT_ERROR` for a store that is not known.
    """
    if isinstance(place, Path):
        return LocalStorage(place)
    return CloudStorage(place, {} if storage_options is None else storage_options)
