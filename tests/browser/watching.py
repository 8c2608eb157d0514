"""What a page did that it should not have done: failed requests, requests to elsewhere, errors in the console."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

HERE = {"localhost", "127.0.0.1", ""}


class Watch:
    """A page, with notes on what went wrong in it. Requests to other machines are refused."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.wrong: list[str] = []
        self._over = False
        page.context.route(lambda url: urlsplit(url).hostname not in {*HERE, None}, self._refuse)
        page.on("console", self._said)
        page.on("pageerror", self._raised)
        page.on("requestfailed", self._failed)
        page.on("response", lambda answer: answer.status >= 400 and self._note(f"{answer.status}: {answer.url}"))

    def begin(self) -> None:
        """Note anew."""
        self.wrong.clear()
        self._over = False

    def leave(self) -> None:
        """Stop noting: what is cut off by leaving a page is no fault."""
        self._over = True

    def screenshot(self, path: Path) -> None:
        """A picture of what is to be seen now."""
        self.page.screenshot(path=path)

    def _refuse(self, route: Any) -> None:
        self._note(f"to another machine: {route.request.url}")
        route.abort()

    def _said(self, message: Any) -> None:
        if message.type == "error":
            self._note(f"console: {message.text} ({message.location.get('url')})")

    def _raised(self, error: Any) -> None:
        # Notebook 7 reads its shortcuts before their settings are there: jupyter/notebook, issue 7862.
        if not ("reading 'schema'" in error.message and "notebook_core" in str(error.stack)):
            self._note(f"error: {error.message}\n{error.stack}")

    def _failed(self, request: Any) -> None:
        if request.failure != "net::ERR_ABORTED":  # the page itself took it back
            self._note(f"failed: {request.url} {request.failure}")

    def _note(self, what: str) -> None:
        if not self._over:
            self.wrong.append(what)
