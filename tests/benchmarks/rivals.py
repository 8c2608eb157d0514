"""The same shop, made by others: a plain Python loop, SimPy, and Misata's `Process`."""

from __future__ import annotations

import random
from collections.abc import Generator
from itertools import pairwise
from typing import Any

import polars as pl

from tests.benchmarks.workloads import ADVENTURES

ACTIONS = [action for actions in ADVENTURES.values() for action in actions]
PLACES = [(adventure, action) for adventure, actions in ADVENTURES.items() for action in actions]
START, WINDOW = 1_767_225_600_000_000, 30 * 86_400_000_000
SHORTEST, LONGEST = 5_000_000, 180_000_000
PRODUCTS = [(f"SKU-{number:05d}", round(random.Random(number).lognormvariate(3.7, 0.6), 2)) for number in range(500)]
DEVICES, DEVICE_WEIGHTS = ["mobile", "desktop", "tablet"], [0.6, 0.3, 0.1]
COUNTRIES, COUNTRY_WEIGHTS = ["US", "DE", "FR", "JP", "BR"], [50, 20, 15, 10, 5]

Row = tuple[str, str, str, str, int, str, str, str, str, str, str, float]
NAMES = (
    "event_id", "user_id", "session_id", "event", "timestamp", "journey_id", "adventure_id", "action_id",
    "device", "country", "sku", "price",
)  # fmt: skip


def loop_shop(users: int, seed: int = 7) -> list[Row]:
    """Workload S as somebody would write it by hand: a loop, `random`, a tuple for each event."""
    draw = random.Random(seed)
    rows: list[Row] = []
    for user in range(users):
        clock = START + int(draw.random() * WINDOW)
        user_id = f"{user:016x}"
        session_id = f"{user_id}{draw.getrandbits(64):016x}"
        device = draw.choices(DEVICES, DEVICE_WEIGHTS)[0]
        _ = draw.random() < 0.35
        country = draw.choices(COUNTRIES, COUNTRY_WEIGHTS)[0]
        _ = min(90, max(18, round(draw.gauss(40, 12))))
        sku, price = PRODUCTS[int(draw.random() * 500)]
        for adventure, action in PLACES:
            clock += SHORTEST + int(draw.random() * (LONGEST - SHORTEST))
            if draw.random() < 0.05:
                break
            rows.append(
                (
                    f"{user_id}{draw.getrandbits(64):016x}",
                    user_id,
                    session_id,
                    action,
                    clock,
                    "purchase",
                    adventure,
                    action,
                    device,
                    country,
                    sku,
                    price,
                )  # fmt: skip
            )
    return rows


class LoopContext:
    """The least that a handler needs: who, when, state, and a way to make events."""

    __slots__ = ("clock", "draw", "name", "session_id", "state", "user_id")

    def __init__(self, draw: random.Random, user_id: str, clock: int, state: dict[str, Any]) -> None:
        self.draw, self.user_id, self.clock, self.state = draw, user_id, clock, state
        self.session_id = f"{user_id}{draw.getrandbits(64):016x}"
        self.name = ""

    def get(self, key: str) -> Any:
        """A value of the state."""
        return self.state.get(key)

    def event(self, **payload: Any) -> tuple[str, str, str, str, int, dict[str, Any]]:
        """An event at the clock."""
        event_id = f"{self.user_id}{self.draw.getrandbits(64):016x}"
        return event_id, self.user_id, self.session_id, self.name, self.clock, payload


def loop_handler(ctx: LoopContext) -> list[Any]:
    """The handler of workload H."""
    product = ctx.get("product")
    return [ctx.event(device=ctx.get("device"), country=ctx.get("country"), sku=product["sku"], price=product["price"])]


def loop_shop_with_handlers(users: int, seed: int = 7) -> list[Row]:
    """Workload H by hand: the same loop, which calls a handler for every event and spreads its payload."""
    draw = random.Random(seed)
    products = [{"sku": sku, "price": price} for sku, price in PRODUCTS]
    rows: list[Row] = []
    for user in range(users):
        state: dict[str, Any] = {
            "device": draw.choices(DEVICES, DEVICE_WEIGHTS)[0],
            "is_member": draw.random() < 0.35,
            "country": draw.choices(COUNTRIES, COUNTRY_WEIGHTS)[0],
            "age": min(90, max(18, round(draw.gauss(40, 12)))),
            "product": products[int(draw.random() * 500)],
        }
        ctx = LoopContext(draw, f"{user:016x}", START + int(draw.random() * WINDOW), state)
        for adventure, action in PLACES:
            ctx.clock += SHORTEST + int(draw.random() * (LONGEST - SHORTEST))
            if draw.random() < 0.05:
                break
            ctx.name = action
            for event_id, user_id, session_id, name, clock, payload in loop_handler(ctx):
                rows.append(
                    (
                        event_id,
                        user_id,
                        session_id,
                        name,
                        clock,
                        "purchase",
                        adventure,
                        action,
                        payload["device"],
                        payload["country"],
                        payload["sku"],
                        payload["price"],
                    )  # fmt: skip
                )
    return rows


def framed(rows: list[Row]) -> pl.DataFrame:
    """Rows made by hand as a frame: what everybody does next."""
    frame = pl.DataFrame(rows, schema=NAMES, orient="row")
    return frame.with_columns(pl.col("timestamp").cast(pl.Datetime("us", "UTC")))


def simpy_shop(users: int, seed: int = 7) -> list[tuple[int, str, float]]:
    """The shop's timeouts and bounces in SimPy: one process for each user; user, action and time of each event."""
    import simpy  # type: ignore[import-untyped,unused-ignore]

    draw = random.Random(seed)
    environment = simpy.Environment()
    events: list[tuple[int, str, float]] = []

    def walk(user: int) -> Generator[Any, Any, None]:
        yield environment.timeout(draw.random() * WINDOW)
        for action in ACTIONS:
            yield environment.timeout(draw.uniform(SHORTEST, LONGEST))
            if draw.random() < 0.05:
                return
            events.append((user, action, environment.now))

    for user in range(users):
        environment.process(walk(user))
    environment.run()
    return events


def misata_process() -> Any:
    """The shop as a chain of Misata: 8 states, each left for good with 5 %.

    Misata writes a row for every state entered, so who leaves has a row, too: it counts in Misata's favour.
    """
    import misata  # type: ignore[import-untyped,unused-ignore]

    span = {"distribution": "uniform", "min": 5, "max": 180, "unit": "seconds"}
    return misata.Process(
        name="purchase",
        cases_table="users",
        case_key="user_id",
        initial=ACTIONS[0],
        transitions={here: {there: 0.95, "left": 0.05} for here, there in pairwise(ACTIONS)},
        dwell=dict.fromkeys(ACTIONS[:-1], span),
    )


def misata_shop(users: int, seed: int = 7) -> Any:
    """Misata as its users call it: a table of users with the four attributes, and their event log of 5 columns."""
    import misata
    from misata.schema import Column, SchemaConfig, Table  # type: ignore[import-untyped,unused-ignore]

    columns = [
        Column(name="user_id", type="int", distribution_params={"distribution": "uniform", "min": 1, "max": users}),
        Column(
            name="device",
            type="categorical",
            distribution_params={"choices": DEVICES, "probabilities": DEVICE_WEIGHTS},
        ),
        Column(name="is_member", type="boolean", distribution_params={"probability": 0.35}),
        Column(
            name="country",
            type="categorical",
            distribution_params={"choices": COUNTRIES, "probabilities": [weight / 100 for weight in COUNTRY_WEIGHTS]},
        ),
        Column(
            name="age",
            type="int",
            distribution_params={"distribution": "normal", "mean": 40, "std": 12, "min": 18, "max": 90},
        ),
    ]
    columns[0].unique = True
    schema = SchemaConfig(
        name="shop",
        seed=seed,
        tables=[Table(name="users", row_count=users)],
        columns={"users": columns},
        processes=[misata_process()],
    )
    return misata.generate_from_schema(schema)["purchase_events"]


def misata_log(users: int, seed: int = 7) -> Any:
    """Misata's simulation alone, without users' attributes and its checks: the log of users that are there already."""
    import misata
    import numpy as np
    import pandas as pd  # type: ignore[import-untyped,unused-ignore]

    cases = pd.DataFrame({"user_id": np.arange(users)})
    events, _ = misata.simulate_process(cases, misata_process(), np.random.default_rng(seed))
    return events
