"""Hidden folders beside a target, for what is not whole yet."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from synode_df.errors import SynodeError, shown


class HiddenFolder:
    """A folder beside a target: on the same disk, so that what is whole needs but a new name.

    Making one removes those that killed runs have left for the same target; a lock tells them from those of runs under
    way.

    Parameters
    ----------
    target : Path
        The file or folder that is to be; its own folder must exist.

    Raises
    ------
    OSError
    """

    def __init__(self, target: Path) -> None:
        prefix = f".{target.name[:40]}."
        from filelock import FileLock

        for old in target.parent.glob(f"{_literal(prefix)}*.unfinished"):
            _remove_abandoned(old)
        self.path = Path(tempfile.mkdtemp(prefix=prefix, suffix=".unfinished", dir=target.parent))
        self._lock = FileLock(self.path / "lock", timeout=0)
        try:
            self._lock.acquire()
        except OSError:
            self.remove()
            raise

    def remove(self) -> None:
        """Remove it with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.release()


def local_path(path: object, *, adapter: str, example: str, suggestion: str) -> Path:
    """A path of this machine, absolute, or `INVALID_OPTION`."""
    if isinstance(path, str | os.PathLike) and str(path) and "://" not in str(path):
        return Path(path).absolute()
    raise SynodeError(
        "INVALID_OPTION",
        f"{adapter} writes to this machine",
        path=adapter,
        expected=f"a path, such as {example!r}",
        received=shown(path),
        suggestion=suggestion,
    )


def require_folder(folder: Path) -> None:
    """Raise `FileNotFoundError` where a folder is not there."""
    if not folder.is_dir():
        raise FileNotFoundError(f"{'not a' if folder.exists() else 'no such'} folder: {folder}")


def _literal(text: str) -> str:
    """Text as a pattern of `glob` that finds just this text."""
    return "".join(f"[{each}]" if each in "*?[" else each for each in text)


def _remove_abandoned(folder: Path) -> None:
    """Remove what a killed run left: nobody holds its lock any more."""
    from filelock import FileLock, Timeout

    if not (folder / "lock").exists():
        return  # it is being made just now, or removed
    try:
        with FileLock(folder / "lock", timeout=0):
            shutil.rmtree(folder, ignore_errors=True)
    except (OSError, Timeout):
        return
