"""HTTP: events as JSON, in requests that are tried again until the server confirms them.

Requests are made by `requests` with urllib3's `Retry`. Both urllib3 alone and requests pass the faults of
`tests/output/test_http.py`, httpx only with a retry loop of one's own; requests adds proxies and certificates from the
environment.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import polars as pl

from synode_df import checks
from synode_df.durations import Duration, parse_duration
from synode_df.errors import SynodeError, shown, told
from synode_df.extras import import_extra
from synode_df.output.base import OutputAdapter
from synode_df.output.failures import output_error
from synode_df.output.layouts import json_objects

if TYPE_CHECKING:
    import requests

_TRY_AGAIN: Final = frozenset({408, 425, 429, *range(500, 600)})
"""Answers that say "not now": timeout, too early, too many requests, and failures of the server."""

_ANSWER: Final = 65_536
"""As much of an answer is read, so that the connection can be used again."""


class HTTPAdapter(OutputAdapter):
    """Posts events as JSON to a web server.

    A request is tried again where the server answers 5xx, 429, 408 or 425, does not answer, breaks off or refuses the
    connection; `Retry-After` is honoured. Any 2xx answer confirms its events, which are then never sent again. Each
    request carries an `Idempotency-Key` made from its events, the same for each attempt, by which a server can drop
    what it has taken already. What was sent before a run failed stays sent.

    Parameters
    ----------
    url : str
        Where to.
    batch_size : int, default 500
        Events a request.
    flush_interval : str or timedelta, optional
        Events wait at most this long for their request to fill. Without it every request but the last is full, so that
        a run with the same seed sends the same requests with the same keys.
    headers : mapping of str to str, optional
        Sent with every request: `{"Authorization": "Bearer ..."}`.
    method : {"POST", "PUT", "PATCH"}, default "POST"
        The request's method.
    transform : callable, optional
        Makes the body from a list of events, each a dict of JSON values (times as ISO 8601 text) of the fields that it
        fills. Returns what JSON can hold, or text or bytes to be sent as they are. The list itself is sent if not
        given.
    retries : int, default 5
        How often a request is tried again.
    backoff : str or timedelta, default "500ms"
        The first attempt again is at once, the next waits twice this long, and so on, doubling, up to two minutes.
    timeout : str or timedelta, default "30s"
        How long to wait for a connection, and for an answer.

    Attributes
    ----------
    confirmed : int
        Events that the server has confirmed.

    Raises
    ------
    SynodeError
        `INVALID_OPTION`, `INVALID_DURATION`; `OUTPUT_ERROR` where `requests` is missing, the server refuses a request
        or does not confirm it in the end; the message says how many events were confirmed.

    Examples
    --------
    >>> import synode_df as sd
    >>> def to_batch(events):
    ...     return {"batch": [{"type": "track", "userId": e["user_id"], "event": e["event"]} for e in events]}
    >>> adapter = sd.HTTPAdapter("https://example.com/v1/batch", batch_size=100, transform=to_batch)
    >>> adapter.confirmed
    0
    """

    def __init__(
        self,
        url: str,
        *,
        batch_size: int = 500,
        flush_interval: Duration | None = None,
        headers: Mapping[str, str] | None = None,
        method: str = "POST",
        transform: Callable[[list[dict[str, Any]]], object] | None = None,
        retries: int = 5,
        backoff: Duration = "500ms",
        timeout: Duration = "30s",
    ) -> None:
        self._url = _checked_url(url)
        self._headers = _checked_headers(headers)
        self._size = _whole(batch_size, "batch_size", at_least=1)
        self._retries = _whole(retries, "retries", at_least=0)
        self._method = checks.one_of(
            method, ("POST", "PUT", "PATCH"), name="method", code="INVALID_OPTION", path="HTTPAdapter"
        )
        if transform is not None and not callable(transform):
            raise _invalid(
                "`transform` must be a function",
                expected="a function of a list of events",
                received=shown(transform),
                suggestion="transform=lambda events: {'batch': events}",
            )
        self._transform = transform
        self._interval = None if flush_interval is None else _seconds(flush_interval, "flush_interval")
        self._backoff = _seconds(backoff, "backoff", zero=True)
        self._timeout = _seconds(timeout, "timeout")
        import_extra("requests", extra="http", path="HTTPAdapter")
        self.confirmed = 0
        self._lock = threading.Lock()
        self._session: requests.Session | None = None
        self._timer: threading.Timer | None = None
        self._waiting: list[tuple[str, str]] = []
        self._failure: SynodeError | None = None

    def open(self) -> None:
        """Count from zero; the first request opens the connection."""
        self.confirmed, self._waiting, self._failure = 0, [], None
        self._session = self._new_session()

    def write(self, batch: pl.DataFrame) -> None:
        """Send what fills a request; the rest waits."""
        with self._lock:
            self._raise_failure()
            texts = batch.select(json_objects(batch.schema).alias("event")).to_series()
            self._waiting += zip(batch["event_id"], texts, strict=True)
            while len(self._waiting) >= self._size:
                self._send()
            self._start_timer()

    def discard(self) -> None:
        """Send no more; what was confirmed cannot be taken back."""
        self._waiting = []

    def close(self) -> None:
        """Send the rest and end the connection."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
            if self._waiting:
                timer.join()  # it may be sending just now
        try:
            self._raise_failure()
            while self._waiting and self._session is not None:
                self._send()
        finally:
            self._waiting = []
            if self._session is not None:
                self._session.close()
                self._session = None

    def _new_session(self) -> requests.Session:
        import requests
        import requests.adapters
        import urllib3

        retry = urllib3.Retry(
            total=self._retries,
            redirect=0,
            status_forcelist=_TRY_AGAIN,
            allowed_methods=None,
            backoff_factor=self._backoff,
            raise_on_status=False,
        )
        session = requests.Session()
        for scheme in ("https://", "http://"):
            session.mount(scheme, requests.adapters.HTTPAdapter(max_retries=retry))
        session.headers["Content-Type"] = "application/json"
        session.headers.update(self._headers)
        if any(name.lower() == "authorization" for name in self._headers):
            session.auth = _unchanged  # or a password in .netrc would take the header's place
        return session

    def _start_timer(self) -> None:
        """See to it that what waits does not wait longer than `flush_interval`."""
        if self._interval is None or not self._waiting or (self._timer is not None and self._timer.is_alive()):
            return
        self._timer = threading.Timer(self._interval, self._send_late)
        self._timer.daemon = True
        self._timer.start()

    def _send_late(self) -> None:
        with self._lock:
            try:
                while self._waiting and self._failure is None:
                    self._send()
            except SynodeError as error:
                self._failure = error  # told by the next write, or by close

    def _raise_failure(self) -> None:
        if self._failure is not None:
            failure, self._failure, self._waiting = self._failure, None, []
            raise failure

    def _send(self) -> None:
        """Send one request, and take its events off the list once they are confirmed."""
        import requests

        if self._session is None:
            raise self._error("The adapter is not open", "`open` before `write`", "no session", "pass it to generate")
        events = self._waiting[: self._size]
        body = self._body([text for _, text in events])
        key = hashlib.blake2b(body, digest_size=16)
        for id, _ in events:
            key.update(id.encode())
        try:
            with self._session.request(
                self._method,
                self._url,
                data=body,
                headers={"Idempotency-Key": key.hexdigest()},
                timeout=self._timeout,
                stream=True,  # the status confirms; a body that breaks off changes nothing
                allow_redirects=False,  # most would turn the request into a GET, without its events
            ) as answer:
                text = _read(answer)
        except (requests.RequestException, OSError) as error:
            raise self._error(
                f"The server does not answer: {_reason(error)}",
                f"an answer within {self._timeout:g} s, in {self._retries + 1} attempts",
                type(error).__name__,
                "see that the server runs and the URL is right; raise `retries`, `backoff` or `timeout` if it is slow",
            ) from error
        if not 200 <= answer.status_code < 300:
            raise self._refused(answer, text)
        self.confirmed += len(events)
        del self._waiting[: len(events)]

    def _body(self, texts: list[str]) -> bytes:
        listed = f"[{','.join(texts)}]"
        if self._transform is None:
            return listed.encode()
        try:
            made = self._transform(json.loads(listed))
            if isinstance(made, bytes):
                return made
            if made is None:
                raise TypeError("transform returned None")
            return (made if isinstance(made, str) else json.dumps(made, allow_nan=False)).encode()
        except Exception as error:
            raise self._error(
                f"`transform` did not give a body: {told(error)}",
                "what JSON can hold, or text or bytes",
                type(error).__name__,
                "see the original error above this one",
            ) from error

    def _refused(self, answer: requests.Response, text: str) -> SynodeError:
        status = answer.status_code
        fixes = {
            401: "check the credentials in `headers`",
            403: "check the credentials in `headers`",
            404: "check the URL",
            413: "use a smaller batch_size",
            429: "the server is overrun: use fewer, larger requests, or raise `retries` or `backoff`",
        }
        fix = fixes.get(status, "see what the server says; transform and headers decide what it gets")
        if 300 <= status < 400:
            fix = f"use the URL that it names: {shown(answer.headers.get('Location', ''), 200)}"
        elif status >= 500:
            fix = "see the server's own log; raise `retries` or `backoff` if it recovers later"
        return self._error(
            f"The server answers {status} {answer.reason}".rstrip(),
            "an answer of 2xx",
            f"{status}: {shown(text, 200)}" if text else str(status),
            fix,
        )

    def _error(self, message: str, expected: str, received: str, suggestion: str) -> SynodeError:
        unsure = min(len(self._waiting), self._size)
        return output_error(
            f"HTTPAdapter {shown(_without_secrets(self._url))}",
            f"{message}; {self.confirmed:,} events were confirmed, the next {unsure:,} were not",
            expected=expected,
            received=received,
            suggestion=suggestion,
        )


def _read(answer: requests.Response) -> str:
    """The beginning of an answer's text, as far as it arrives."""
    import urllib3

    try:
        content: bytes = answer.raw.read(_ANSWER, decode_content=True)
        return content.decode("utf-8", "replace")
    except (urllib3.exceptions.HTTPError, OSError):
        return ""


def _reason(error: Exception) -> str:
    """What is at the bottom of nested errors."""
    found: BaseException = error
    while (inner := getattr(found, "reason", None) or next(iter(found.args), None)) is not None:
        if not isinstance(inner, BaseException):
            break
        found = inner
    return told(found)


def _unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _without_secrets(url: str) -> str:
    """A URL for messages: without a password, and without the query, where tokens often are."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _checked_url(url: object) -> str:
    if isinstance(url, str):
        try:
            parts = urlsplit(url)
            if parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0:
                return url
        except ValueError:
            pass  # a malformed port or address: as below
    raise _invalid(
        "`url` is no address of a web server",
        expected="a URL that starts with http:// or https://",
        received=shown(url),
        suggestion='HTTPAdapter("https://example.com/events")',
    )


def _checked_headers(headers: object) -> dict[str, str]:
    if headers is None:
        return {}
    if isinstance(headers, Mapping) and all(
        isinstance(part, str) and part.isprintable() for pair in headers.items() for part in pair
    ):
        return dict(headers)
    raise _invalid(
        "`headers` must map names to texts",
        expected="a mapping of str to str, without line breaks",
        received=shown(headers if not isinstance(headers, Mapping) else list(headers)),
        suggestion='headers={"Authorization": "Bearer ..."}',
    )


def _whole(value: object, name: str, *, at_least: int) -> int:
    return checks.whole(value, name=name, path="HTTPAdapter", at_least=at_least, code="INVALID_OPTION")


def _seconds(value: object, name: str, *, zero: bool = False) -> float:
    seconds = parse_duration(value, name=name, path="HTTPAdapter").total_seconds()
    if seconds or zero:
        return seconds
    raise _invalid(
        f"`{name}` must be longer than nothing",
        expected="a duration such as '5s'",
        received=shown(value),
        suggestion=f'{name}="5s"',
    )


def _invalid(message: str, *, expected: str, received: str, suggestion: str) -> SynodeError:
    return SynodeError(
        "INVALID_OPTION", message, path="HTTPAdapter", expected=expected, received=received, suggestion=suggestion
    )
