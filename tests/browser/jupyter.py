"""A Jupyter server of its own, and a notebook in it used as a person would."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from tests.browser.watching import Watch

QUIET = {
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Jupyter:
    """A server of JupyterLab or Notebook 7 that keeps everything below one folder."""

    def __init__(self, kind: str, folder: Path, notebooks: Path, *, theme: str | None = None) -> None:
        self.kind = kind
        self.folder = folder
        self.notebooks = notebooks
        self.work = folder / "work"
        self.address = f"http://127.0.0.1:{_free_port()}"
        shutil.copytree(notebooks, self.work)
        settings = (QUIET if kind == "lab" else {}) | (
            {"@jupyterlab/apputils-extension/themes": {"theme": theme}} if theme else {}
        )
        for name, content in settings.items():
            file = folder / "settings" / f"{name}.jupyterlab-settings"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(content), encoding="utf-8")

    def start(self) -> None:
        """Start, and wait until it answers."""
        own = {"JUPYTER_CONFIG_DIR": "config", "JUPYTER_RUNTIME_DIR": "runtime", "JUPYTERLAB_SETTINGS_DIR": "settings"}
        port = self.address.rpartition(":")[2]
        command = [
            sys.executable,
            "-m",
            "jupyter",
            self.kind,
            "--no-browser",
            f"--port={port}",
            f"--notebook-dir={self.work}",
        ]
        command += [
            "--IdentityProvider.token=",
            "--ServerApp.password=",
            "--ServerApp.port_retries=0",
            "--ServerApp.disable_check_xsrf=True",
        ]
        self._log = (self.folder / "log").open("w", encoding="utf-8")
        self._process = subprocess.Popen(
            [*command, *(["--allow-root"] if os.name == "posix" and os.geteuid() == 0 else [])],
            env=os.environ | {name: str(self.folder / place) for name, place in own.items()},
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        end = time.monotonic() + 90
        while time.monotonic() < end:
            try:
                urllib.request.urlopen(f"{self.address}/api", timeout=2).close()
                return
            except OSError:
                if self._process.poll() is not None:
                    break
                time.sleep(0.2)
        raise RuntimeError((self.folder / "log").read_text(encoding="utf-8"))

    def stop(self) -> None:
        """End the server, and with it its kernels."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def run(self, watch: Watch, name: str) -> list[dict[str, Any]]:
        """Open a notebook and run it; its cells.

        anywidget leaves a chart empty that is not ready after two seconds, which a busy machine may need for Plotly's
        five megabytes. Then the page is opened again, as a person would do; the third time counts.
        """
        for attempt in (1, 2, 3):
            cells = self.open(watch, name).run_all()
            watch.page.wait_for_timeout(2_500)
            if attempt == 3 or not any("Failed to initialize model" in what for what in watch.wrong):
                break
            self.close(watch)
            watch.begin()
        return cells

    def open(self, watch: Watch, name: str) -> Notebook:
        """Open a notebook in a page, as it is kept, and wait until its kernel is ready."""
        # What an earlier run saved shows widgets that are gone.
        shutil.copyfile(self.notebooks / name, self.work / name)
        path = f"lab/tree/{name}?reset" if self.kind == "lab" else f"notebooks/{name}"
        watch.page.goto(f"{self.address}/{path}")
        notebook = Notebook(watch, self.work / name)
        end = time.monotonic() + 60
        # The page calls a kernel idle before it has one: ask the server as well.
        while not self._ready(name) and time.monotonic() < end:
            watch.page.wait_for_timeout(200)
        watch.page.wait_for_timeout(500)
        return notebook

    def close(self, watch: Watch) -> None:
        """Leave the page, and end the kernels."""
        watch.leave()
        watch.page.goto("about:blank")
        for session in self._sessions():
            request = urllib.request.Request(f"{self.address}/api/sessions/{session['id']}", method="DELETE")
            urllib.request.urlopen(request, timeout=20).close()

    def _ready(self, name: str) -> bool:
        kernels = [session["kernel"] for session in self._sessions() if session["path"] == name]
        return any(kernel["execution_state"] == "idle" and kernel["connections"] for kernel in kernels)

    def _sessions(self) -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"{self.address}/api/sessions", timeout=10) as answer:
            return list(json.load(answer))


class Notebook:
    """A notebook that is open in a page."""

    def __init__(self, watch: Watch, file: Path) -> None:
        self.watch = watch
        self.page = watch.page
        self.file = file
        self.page.wait_for_selector(".jp-Notebook .jp-CodeCell")
        self.page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status='idle']")

    def run_all(self, *, seconds: float = 120) -> list[dict[str, Any]]:
        """Run all cells from the menu, wait for the last, save; the cells as they are in the file then."""
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.page.wait_for_timeout(500)
            self.page.keyboard.press("Control+s")
            cells = self.cells()
            if all(cell.get("execution_count") for cell in cells):
                return cells
            if any(output["output_type"] == "error" for cell in cells for output in cell["outputs"]):
                return cells
        raise TimeoutError(f"{self.file.name} did not come to its end in {seconds} s")

    def cells(self) -> list[dict[str, Any]]:
        """The code cells, as the file has them."""
        try:
            notebook = json.loads(self.file.read_text(encoding="utf-8"))
        except json.JSONDecodeError:  # being written just now
            self.page.wait_for_timeout(100)
            return self.cells()
        return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def errors(cells: list[dict[str, Any]]) -> list[str]:
    """What the cells raised."""
    return [
        f"{output['ename']}: {output['evalue']}"
        for cell in cells
        for output in cell["outputs"]
        if output["output_type"] == "error"
    ]
