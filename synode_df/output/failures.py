"""Errors of destinations: what could not be written, and how to mend it."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Final

from synode_df.errors import SynodeError, shown

_FIXES: Final = (
    (
        (errno.ENOSPC, errno.EDQUOT),
        ("no space left", "disk quota", "disk is full"),
        "free some space, or write to a place that has more",
    ),
    (
        (errno.EACCES, errno.EPERM, errno.EROFS),
        ("permission denied", "read-only", "readonly", "not permitted"),
        "choose a place that you may write to, or change its permissions",
    ),
    ((), ("password", "authentication", "access denied"), "check the user and the password"),
    (
        (),
        ("connection refused", "could not connect", "could not translate host", "timeout expired", "unknown host"),
        "see that the server runs, and that host and port are right",
    ),
    ((), ("lock",), "close what else has it open, or wait for it"),
    (
        (),
        ("column",),
        'bring the columns in line: choose another table, mode="overwrite", or alter the table that is there',
    ),
    ((errno.ENOENT,), ("no such file", "no such folder"), "make the folder first, or mend the path"),
    ((), ("does not exist",), "make it first, or mend the name"),
)


def output_error(path: str, message: str, *, expected: str, received: str, suggestion: str) -> SynodeError:
    """`OUTPUT_ERROR` of the adapter named `path`."""
    return SynodeError("OUTPUT_ERROR", message, path=path, expected=expected, received=received, suggestion=suggestion)


def cannot_write(path: str, target: str | Path, error: BaseException) -> SynodeError:
    """The error for a place that refuses to be written to, with the fix that its reason asks for."""
    number, text = getattr(error, "errno", None), str(error)
    fix = next(
        (fix for numbers, words, fix in _FIXES if number in numbers or any(word in text.lower() for word in words)),
        "check the path, its permissions and the space left",
    )
    return output_error(
        path,
        f"The target cannot be written: {_first_line(text) or type(error).__name__}",
        expected="a place that can be written to",
        received=shown(str(target)),
        suggestion=fix,
    )


def already_there(path: str, target: str | Path, *, what: str, suggestion: str) -> SynodeError:
    """The error for a target that holds something which nobody said may go."""
    return output_error(
        path,
        f"The target {what} is there already",
        expected=f"no such {what}, or leave to replace it",
        received=shown(str(target)),
        suggestion=suggestion,
    )


def _first_line(text: str) -> str:
    """Where a library's message has several lines, the first says what happened."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")
