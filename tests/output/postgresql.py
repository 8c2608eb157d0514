"""A real PostgreSQL server of the tests' own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.output.server import free_port

PASSWORD = "synthetic"


def programs() -> Path | None:
    """The folder of the server's programs, of the newest version that is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    other = shutil.which("initdb")
    return found[-1].parent if found else Path(other).resolve().parent if other else None


def somebody() -> dict[str, Any]:
    """The server refuses to be run by root: another user for `subprocess`."""
    if os.name != "posix" or os.geteuid() != 0:
        return {}
    import pwd

    names = {entry.pw_name for entry in pwd.getpwall()}
    user = "postgres" if "postgres" in names else "nobody"
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


@contextmanager
def running() -> Iterator[str]:
    """The server's address, as its superuser; it is gone with all its data afterwards."""
    binaries = programs()
    if binaries is None:
        reason = "PostgreSQL's server is not installed (on Debian: apt-get install postgresql)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    folder = Path(tempfile.mkdtemp(prefix="synode_df-postgresql-"))
    user, port = somebody(), free_port()
    try:
        (folder / "password").write_text(PASSWORD)
        if user:
            for path in (folder, folder / "password"):
                shutil.chown(path, user["user"])
        made = subprocess.run(
            [binaries / "initdb", "-D", folder / "data", "-U", "synode", "-E", "UTF8", "--no-locale", "--no-sync"]
            + ["--auth=scram-sha-256", f"--pwfile={folder / 'password'}"],
            cwd=folder,
            capture_output=True,
            text=True,
            **user,
        )
        assert made.returncode == 0, made.stderr
        options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off"}
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [binaries / "postgres", "-D", folder / "data", "-p", str(port), *settings],
                cwd=folder,
                stdout=log,
                stderr=log,
                **user,
            )
            try:
                while subprocess.run([binaries / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]).returncode:
                    assert server.poll() is None, (folder / "log").read_text()
                    time.sleep(0.05)
                yield f"postgresql://synode:{PASSWORD}@127.0.0.1:{port}/postgres"
            finally:
                server.send_signal(2)  # end now, without waiting for clients
                server.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
