"""Where files land: whole or not at all, whatever ends the process that writes them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

UNFINISHED: Final = "_unfinished"
"""The folder of everything that is not yet, or not any more, part of the data."""

JOURNAL: Final = f"{UNFINISHED}/shards.ndjson"


@dataclass(frozen=True)
class Entry:
    """A file that is there: its size in bytes, and a stamp that changes when it is written again."""

    bytes: int
    stamp: str


class Storage(ABC):
    """A folder, on this machine or in an object store. Names are relative and have `/` between folders."""

    @abstractmethod
    def entries(self) -> dict[str, Entry]:
        """Every file, but for the unfinished ones."""

    @abstractmethod
    def read(self, name: str) -> bytes | None:
        """A file's content, or None if there is none."""

    @abstractmethod
    def write(self, name: str, content: bytes | memoryview) -> str:
        """Put a file in its place at once, over what may stand there; returns its stamp."""

    @abstractmethod
    def remove(self, names: Iterable[str]) -> None:
        """Remove files, and folders that become empty."""

    @abstractmethod
    def lock(self, *, take_over: bool) -> bool:
        """Claim the folder for one run; False where another has it.

        `take_over` claims it from a run that ended without saying so, where that cannot be told otherwise.
        """

    @abstractmethod
    def release(self, *, finished: bool) -> None:
        """Give up the claim; with `finished`, remove what is unfinished."""

    @abstractmethod
    def read_journal(self) -> list[str]:
        """The lines of an earlier run's journal."""

    @abstractmethod
    def write_journal(self, lines: list[str]) -> None:
        """Start the journal anew, with some lines."""

    @abstractmethod
    def append_journal(self, line: str) -> None:
        """Add a line to the journal."""

    @abstractmethod
    def location(self, name: str) -> str:
        """The path or address by which others find a file."""


def whole_lines(journal: bytes) -> list[str]:
    """The lines of a journal but for the last one, if its writing was cut short."""
    return journal.decode("utf-8", errors="replace").split("\n")[:-1]
