"""Object stores: a file there is whole or absent by itself, but nothing is renamed, appended to or locked."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

from synode_df.extras import import_extra
from synode_df.output.failures import output_error
from synode_df.output.storage import JOURNAL, UNFINISHED, Entry, Storage, whole_lines

_CLAIM: Final = f"{UNFINISHED}/claim.json"
_EVERY: Final = 5.0
"""Seconds between two writings of the journal: an object can only be replaced whole."""

_CLIENT_OPTIONS: Final = frozenset(
    {"allow_http", "allow_invalid_certificates", "connect_timeout", "proxy_url", "timeout", "user_agent"}
)


class CloudStorage(Storage):
    """A prefix of an object store.

    Parameters
    ----------
    address : str
        Such as `"s3://bucket/events"`.
    options : mapping of str to str
        Keys, region, endpoint and the like, named as for `polars.scan_parquet`.
    """

    def __init__(self, address: str, options: Mapping[str, str]) -> None:
        self.address = address.rstrip("/")
        self.options = dict(options)
        self._store: Any = None
        self._journal: list[str] = []
        self._written = 0.0
        self._claimed = False
        self._obstore()  # a missing extra or an unknown store is told when the adapter is made

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_store": None, "_journal": [], "_claimed": False}

    def _obstore(self) -> Any:
        """The library, with the store connected."""
        obstore = import_extra("obstore", extra="cloud", path="ParquetAdapter")
        if self._store is None:
            client: dict[str, Any] = {}
            config: dict[str, Any] = {}
            for key, value in self.options.items():
                name = key.removeprefix("aws_")
                (client if name in _CLIENT_OPTIONS else config)[name if name in _CLIENT_OPTIONS else key] = value
            if "allow_http" in client:
                client["allow_http"] = str(client["allow_http"]).lower() in ("true", "1")
            try:
                self._store = import_extra("obstore.store", extra="cloud", path="ParquetAdapter").from_url(
                    self.address, config=config or None, client_options=client or None
                )
            except Exception as error:
                raise output_error(
                    "ParquetAdapter",
                    f"There is no such object store: {error}",
                    expected='an address such as "s3://bucket/folder", "gs://..." or "az://..."',
                    received=repr(self.address),
                    suggestion="mend the address or the storage_options",
                ) from error
        return obstore

    def entries(self) -> dict[str, Entry]:
        """Every file, but for the unfinished ones."""
        obstore = self._obstore()
        return {
            each["path"]: Entry(each["size"], each["e_tag"] or "")
            for page in obstore.list(self._store)
            for each in page
            if not each["path"].startswith(f"{UNFINISHED}/")
        }

    def read(self, name: str) -> bytes | None:
        """A file's content, or None if there is none."""
        obstore = self._obstore()
        try:
            return bytes(obstore.get(self._store, name).bytes())
        except FileNotFoundError:
            return None

    def write(self, name: str, content: bytes | memoryview) -> str:
        """Put a file in its place at once, over what may stand there; returns its stamp."""
        obstore = self._obstore()
        return str(obstore.put(self._store, name, bytes(content)).get("e_tag") or "")

    def remove(self, names: Iterable[str]) -> None:
        """Remove files."""
        gone = list(names)
        if gone:
            self._obstore().delete(self._store, gone)

    def lock(self, *, take_over: bool) -> bool:
        """Put a claim there if there is none; a claim outlives its process, so that resuming takes it over."""
        obstore = self._obstore()
        mine = json.dumps({"host": socket.gethostname(), "process": os.getpid()}).encode()
        try:
            obstore.put(self._store, _CLAIM, mine, mode="overwrite" if take_over else "create")
        except obstore.exceptions.AlreadyExistsError:
            return False
        self._claimed = True
        return True

    def release(self, *, finished: bool) -> None:
        """Give up the claim; with `finished`, remove what is unfinished."""
        if not self._claimed:
            return
        if not finished:
            self._put_journal()
        self.remove([_CLAIM, *([JOURNAL] if finished else [])])
        self._claimed = False

    def read_journal(self) -> list[str]:
        """The lines of an earlier run's journal."""
        content = self.read(JOURNAL)
        return [] if content is None else whole_lines(content)

    def write_journal(self, lines: list[str]) -> None:
        """Start the journal anew, with some lines."""
        self._journal = list(lines)
        self._put_journal()

    def append_journal(self, line: str) -> None:
        """Add a line to the journal, which is written every few seconds."""
        self._journal.append(line)
        if time.perf_counter() - self._written > _EVERY:
            self._put_journal()

    def _put_journal(self) -> None:
        self.write(JOURNAL, "".join(f"{line}\n" for line in self._journal).encode())
        self._written = time.perf_counter()

    def location(self, name: str) -> str:
        """The file's address."""
        return f"{self.address}/{name}"
