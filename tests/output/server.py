"""A real web server on this machine that fails as it is told to."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Request:
    method: str
    headers: dict[str, str]
    body: bytes
    moment: float


@dataclass
class Server:
    """What came in, and what this server has confirmed by an answer of 2xx.

    `plan` says what becomes of each request in turn: a status, or `hang` (no answer), `drop` (breaks off without an
    answer), `lose` (takes the events, then breaks off without an answer), `midway` (confirms, but breaks off within the
    body of the answer). After the plan every request is confirmed.
    """

    plan: Sequence[int | str]
    answer: str = ""
    requests: list[Request] = field(default_factory=list)
    taken: list[Request] = field(default_factory=list)
    arrived: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events that were confirmed or taken, in order."""
        return [event for request in self.taken for event in json.loads(request.body)]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    told: Server

    def log_message(self, *_: object) -> None: ...

    def take(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        request = Request(self.command, dict(self.headers), body, time.monotonic())
        number = len(self.told.requests)
        self.told.requests.append(request)
        what = self.told.plan[number] if number < len(self.told.plan) else 200
        if what == "hang":
            self.told.ended.wait(20)
        if what in ("lose", "midway") or (isinstance(what, int) and 200 <= what < 300):
            self.told.taken.append(request)
            self.told.arrived.set()
        if isinstance(what, int):
            text = self.told.answer.encode()
            self.send_response(what)
            if what == 429:
                self.send_header("Retry-After", "1")
            if what == 302:
                self.send_header("Location", "https://elsewhere.example/")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)
            return
        if what == "midway":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"{")
            self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True

    do_POST = do_PUT = take


class Listening(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, *_: object) -> None: ...  # clients that go away are what is tested


@contextmanager
def serving(*plan: int | str, answer: str = "", port: int = 0) -> Iterator[Server]:
    told = Server(plan, answer)
    with Listening(("127.0.0.1", port), type("Told", (Handler,), {"told": told})) as listening:
        told.url = f"http://127.0.0.1:{listening.server_address[1]}/events"
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield told
        finally:
            told.ended.set()
            listening.shutdown()
            thread.join()


def free_port() -> int:
    """A port at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
