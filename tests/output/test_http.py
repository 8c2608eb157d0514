"""HTTP against a real server that fails: no event is lost, none is sent again that was confirmed."""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
from typing import Any

import pytest

import synode_df as sd
from tests.output.runs import failing, kept, numbered, rich
from tests.output.server import Server, free_port, serving

QUICK: dict[str, Any] = {"backoff": "20ms", "timeout": "2s"}


def send(server: Server | str, *, users: int = 40, batch_size: int = 10, **options: Any) -> sd.HTTPAdapter:
    url = server if isinstance(server, str) else server.url
    adapter = sd.HTTPAdapter(url, batch_size=batch_size, **{**QUICK, **options})
    sd.generate(numbered(), users=users, adapter=adapter, batch_size=16, seed=1)
    return adapter


def refusal(server: Server | str, **options: Any) -> sd.SynodeError:
    with pytest.raises(sd.SynodeError) as raised:
        send(server, **options)
    assert raised.value.code == "OUTPUT_ERROR"
    return raised.value


def users_of(server: Server) -> list[int]:
    return [event["value"] for event in server.events]


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_every_event_arrives_in_order_in_full_requests(n_jobs: int) -> None:
    with serving() as server:
        adapter = sd.HTTPAdapter(server.url, batch_size=30)
        sd.generate(rich(), users=100, adapter=adapter, batch_size=17, n_jobs=n_jobs, seed=3)
    frame = kept(rich(), users=100, seed=3)
    assert [event["event_id"] for event in server.events] == frame["event_id"].to_list()
    assert adapter.confirmed == frame.height
    sizes = [len(json.loads(request.body)) for request in server.requests]
    assert sizes[:-1] == [30] * (len(sizes) - 1)
    assert 0 < sizes[-1] <= 30
    view = next(event for event in server.events if event["event"] == "view")
    assert (view["raw"], view["tags"], view["exact"]) == ("AP8=", ["a", "b"], "12.50")
    assert "nothing" not in view
    assert "text" not in server.events[0]


@pytest.mark.parametrize(
    "plan",
    [
        (500, 500),
        (503, 200, 500, 502),
        (429,),
        ("hang",),
        ("drop",),
        (200, "drop", "hang", 500),
        ("midway",),
        (200, "midway", 200, "midway"),
        (408, 425),
    ],
    ids=str,
)
def test_a_server_that_fails_gets_every_event_once(plan: tuple[int | str, ...]) -> None:
    with serving(*plan) as server:
        adapter = send(server)
    assert users_of(server) == list(range(40))
    assert adapter.confirmed == 40
    failures = sum(what not in (200, "midway") for what in plan)
    assert len(server.requests) == 4 + failures


def test_retry_after_is_honoured() -> None:
    with serving(429) as server:
        send(server, backoff="0s")
    first, second = (request.moment for request in server.requests[:2])
    assert second - first >= 1


def test_a_server_can_drop_what_it_has_taken_by_the_key() -> None:
    """It took the events, but its answer was lost: they come again, under the same key."""
    with serving("lose", 500, 200, "lose") as server:
        send(server)
    assert sorted(set(users_of(server))) == list(range(40))
    assert len(users_of(server)) == 60
    once = {request.headers["Idempotency-Key"]: json.loads(request.body) for request in server.taken}
    assert [event["value"] for events in once.values() for event in events] == list(range(40))


def test_the_same_run_sends_the_same_keys_and_every_request_has_its_own() -> None:
    keys = []
    for _ in range(2):
        with serving(500) as server:
            send(server)
        keys.append([request.headers["Idempotency-Key"] for request in server.requests])
    assert keys[0] == keys[1]
    assert keys[0][0] == keys[0][1]  # the second attempt
    assert len(set(keys[0])) == 4


def test_requests_that_a_transform_makes_alike_have_their_own_keys() -> None:
    with serving() as server:
        send(server, transform=lambda events: {"count": len(events)})
    assert [request.body for request in server.requests] == [b'{"count": 10}'] * 4
    assert len({request.headers["Idempotency-Key"] for request in server.requests}) == 4


class Attempts(logging.Handler):
    """Sets an event when urllib3 has tried a few times."""

    def __init__(self, attempts: int) -> None:
        super().__init__()
        self.left = attempts
        self.reached = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.left -= "Retrying" in record.getMessage()
        if self.left <= 0:
            self.reached.set()


def test_a_server_that_refuses_connections_for_a_while() -> None:
    port = free_port()
    attempts = Attempts(3)
    sent = threading.Event()
    found: list[Server] = []

    def start() -> None:
        attempts.reached.wait(30)
        time.sleep(0.2)  # an attempt again at once would not find it
        with serving(port=port) as server:
            found.append(server)
            sent.wait(30)

    starting = threading.Thread(target=start)
    starting.start()
    logger = logging.getLogger("urllib3.connectionpool")
    logger.addHandler(attempts)
    try:
        send(f"http://127.0.0.1:{port}/events", retries=12, backoff="50ms")
    finally:
        logger.removeHandler(attempts)
        sent.set()
        starting.join()
    assert users_of(found[0]) == list(range(40))


def test_a_server_that_is_down() -> None:
    error = refusal(f"http://127.0.0.1:{free_port()}/events", retries=2)
    assert "refused" in error.message.lower()
    assert "; 0 events were confirmed, the next 10 were not" in error.message
    assert "in 3 attempts" in (error.expected or "")


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        ([200, 200, *[500] * 9], "answers 500"),
        ([200, 200, *["hang"] * 9], "does not answer"),
        ([200, 200, *["drop"] * 9], "does not answer"),
        ([200, 200, 400], "answers 400"),
        ([200, 200, 302], "answers 302"),
    ],
    ids=str,
)
def test_giving_up_says_how_many_events_were_confirmed(plan: list[int | str], words: str) -> None:
    with serving(*plan, answer="no such field: value") as server:
        error = refusal(server, retries=2, timeout="1s")
    assert words in error.message
    assert "; 20 events were confirmed, the next 10 were not" in error.message
    assert users_of(server) == list(range(20))
    assert len(server.requests) == 3 if isinstance(plan[2], int) and plan[2] < 500 else 5
    if plan[2] == 400:
        assert "no such field: value" in (error.received or "")
    if plan[2] == 302:
        assert "https://elsewhere.example/" in (error.suggestion or "")


def test_headers_method_and_a_body_of_text() -> None:
    with serving() as server:
        send(
            server,
            method="PUT",
            headers={"Authorization": "Bearer secret", "content-type": "application/x-ndjson"},
            transform=lambda events: "\n".join(json.dumps(event) for event in events),
        )
    request = server.requests[0]
    assert request.method == "PUT"
    assert request.headers["Authorization"] == "Bearer secret"
    assert [value for name, value in request.headers.items() if name.lower() == "content-type"] == [
        "application/x-ndjson"
    ]
    assert [json.loads(line)["value"] for line in request.body.splitlines()] == list(range(10))


def test_a_password_in_netrc_does_not_take_the_place_of_a_header(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login other password other\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with serving() as server:
        send(server, headers={"authorization": "Bearer mine"})
    assert {value for name, value in server.requests[0].headers.items() if name.lower() == "authorization"} == {
        "Bearer mine"
    }


@pytest.mark.parametrize("made", [None, {1, 2}, float("nan")], ids=str)
def test_a_transform_that_gives_no_body(made: Any) -> None:
    with serving() as server:
        error = refusal(server, transform=lambda events: made)
    assert "`transform` did not give a body" in error.message
    assert server.requests == []


def test_a_transform_that_raises() -> None:
    with serving() as server:
        error = refusal(server, transform=lambda events: events[0]["missing"])
    assert isinstance(error.__cause__, KeyError)


def test_events_do_not_wait_longer_than_the_flush_interval() -> None:
    frame = kept(numbered(), users=7)
    with serving(500) as server:
        with sd.HTTPAdapter(server.url, batch_size=100, flush_interval="50ms", **QUICK) as adapter:
            adapter.write(frame)
            assert server.arrived.wait(20)
            adapter.write(frame)
        assert users_of(server) == [*range(7), *range(7)]
        assert adapter.confirmed == 14


def test_a_failure_between_two_batches_is_told_by_the_next() -> None:
    frame = kept(numbered(), users=7)
    with serving(400) as server, pytest.raises(sd.SynodeError, match="answers 400"):
        with sd.HTTPAdapter(server.url, batch_size=100, flush_interval="50ms", **QUICK) as adapter:
            adapter.write(frame)
            while not server.requests:
                time.sleep(0.01)
            adapter.write(frame)
    assert server.events == []


@pytest.mark.parametrize("error", [ValueError("unlucky"), KeyboardInterrupt()], ids=["error", "interrupt"])
def test_a_run_that_fails_sends_no_more(error: BaseException) -> None:
    with serving() as server:
        adapter = sd.HTTPAdapter(server.url, batch_size=8)
        with pytest.raises((sd.SynodeError, KeyboardInterrupt)):
            sd.generate(failing(error), users=50, batch_size=10, adapter=adapter)
    assert users_of(server) == list(range(16))
    assert adapter.confirmed == 16


def test_a_second_run_counts_from_zero() -> None:
    with serving() as server:
        adapter = send(server)
        sd.generate(numbered(), users=3, adapter=adapter)
    assert adapter.confirmed == 3
    assert len(server.events) == 43


def test_secrets_stay_out_of_messages() -> None:
    error = refusal(f"http://me:hunter2@127.0.0.1:{free_port()}/events?token=hunter2", retries=0)
    assert "hunter2" not in error.format()


def test_without_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "requests", None)
    with pytest.raises(sd.SynodeError) as raised:
        sd.HTTPAdapter("https://example.com")
    assert raised.value.code == "MISSING_LIBRARY"
    assert raised.value.suggestion == 'pip install "synode-df[http]"'


@pytest.mark.parametrize(
    "options",
    [
        {"url": "example.com"},
        {"url": "ftp://example.com"},
        {"url": "http://"},
        {"url": "http://a:port/"},
        {"url": None},
        {"batch_size": 0},
        {"retries": -1},
        {"method": "GET"},
        {"headers": {"a": 1}},
        {"headers": {"a": "b\r\nc: d"}},
        {"headers": ["a"]},
        {"transform": 3},
        {"timeout": "0s"},
        {"flush_interval": "0s"},
    ],
    ids=str,
)
def test_options_are_checked_when_the_adapter_is_made(options: dict[str, Any]) -> None:
    with pytest.raises(sd.SynodeError) as raised:
        sd.HTTPAdapter(**{"url": "https://example.com", **options})
    assert raised.value.code == "INVALID_OPTION"


@pytest.mark.parametrize("name", ["timeout", "flush_interval", "backoff"])
def test_durations_have_a_unit(name: str) -> None:
    with pytest.raises(sd.SynodeError) as raised:
        sd.HTTPAdapter("https://example.com", **{name: 5})
    assert raised.value.code == "INVALID_DURATION"
