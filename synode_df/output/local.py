"""A folder of a file system: files are written under another name, then renamed."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from synode_df.output.storage import JOURNAL, UNFINISHED, Entry, Storage, whole_lines

if TYPE_CHECKING:
    from filelock import BaseFileLock

_WRITING: Final = f"{UNFINISHED}/writing"
"""Where files begin; it is there while a run is under way."""


class LocalStorage(Storage):
    """A folder of a file system that all workers see."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._claim: BaseFileLock | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_claim": None}  # workers write under the claim of the calling process

    def entries(self) -> dict[str, Entry]:
        """Every file, but for the unfinished ones."""
        return dict(_entries(self.root, ""))

    def read(self, name: str) -> bytes | None:
        """A file's content, or None if there is none."""
        try:
            return (self.root / name).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, name: str, content: bytes | memoryview) -> str:
        """Write under another name, then rename: readers see all of it or nothing."""
        aside = self.root / _WRITING / f"{os.getpid()}-{secrets.token_hex(8)}.tmp"
        target = self.root / name
        try:
            with open(aside, "wb") as file:
                file.write(content)
            stamp = str(aside.stat().st_mtime_ns)
            if "/" in name:
                target.parent.mkdir(parents=True, exist_ok=True)
            aside.replace(target)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise
        return stamp

    def remove(self, names: Iterable[str]) -> None:
        """Remove files, and folders that become empty."""
        folders: set[Path] = set()
        for name in names:
            (self.root / name).unlink(missing_ok=True)
            folders.update(Path(name).parents)
        for folder in sorted(folders - {Path()}, key=lambda each: -len(each.parts)):
            try:
                (self.root / folder).rmdir()
            except OSError:
                continue  # something of the user's is in it

    def lock(self, *, take_over: bool) -> bool:  # noqa: ARG002 - the system ends the claims of processes that die
        """Claim the folder; the claim ends with the process."""
        from filelock import FileLock, Timeout

        (self.root / UNFINISHED).mkdir(parents=True, exist_ok=True)
        claim = FileLock(self.root / UNFINISHED / "lock", timeout=0)
        try:
            claim.acquire()
        except Timeout:
            return False
        self._claim = claim
        self._stop_writing()
        (self.root / _WRITING).mkdir()
        return True

    def release(self, *, finished: bool) -> None:
        """Give up the claim; with `finished`, remove what is unfinished."""
        if self._claim is None:
            return
        self._stop_writing()
        if finished:
            shutil.rmtree(self.root / UNFINISHED, ignore_errors=True)
        self._claim.release()
        self._claim = None

    def _stop_writing(self) -> None:
        """Take the folder away in which files begin: a worker that was given up can neither go on nor begin anew."""
        for _ in range(20):
            shutil.rmtree(self.root / _WRITING, ignore_errors=True)
            if not (self.root / _WRITING).exists():
                return

    def read_journal(self) -> list[str]:
        """The lines of an earlier run's journal."""
        content = self.read(JOURNAL)
        return [] if content is None else whole_lines(content)

    def write_journal(self, lines: list[str]) -> None:
        """Start the journal anew, with some lines."""
        self.write(JOURNAL, "".join(f"{line}\n" for line in lines).encode())

    def append_journal(self, line: str) -> None:
        """Add a line to the journal; it survives the death of this process."""
        with open(self.root / JOURNAL, "a", encoding="utf-8") as file:
            file.write(f"{line}\n")

    def location(self, name: str) -> str:
        """The file's path."""
        return str(self.root / name)


def _entries(folder: Path, prefix: str) -> Iterable[tuple[str, Entry]]:
    if not folder.is_dir():
        return
    with os.scandir(folder) as found:
        for each in found:
            if each.is_dir(follow_symlinks=False):
                if prefix or each.name != UNFINISHED:
                    yield from _entries(Path(each.path), f"{prefix}{each.name}/")
            else:
                about = each.stat(follow_symlinks=False)
                yield prefix + each.name, Entry(about.st_size, str(about.st_mtime_ns))
