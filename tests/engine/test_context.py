"""The context that handlers get: everything it offers, used on its own."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TypedDict

import pandera.polars as pa
import polars as pl
import pytest

import synode_df as sd

PLANS = sd.Dataset.from_frame("plans", pl.DataFrame({"id": ["free", "pro"], "price": [0, 9]}))


@dataclass
class Plan:
    id: str
    price: int


class PlanDict(TypedDict):
    id: str
    price: int


class PlanModel(pa.DataFrameModel):
    id: str
    price: int = pa.Field(ge=0)


def test_clock_starts_where_it_is_told_and_now_hands_out_a_value() -> None:
    context = sd.SynodeContext(datetime(2026, 5, 1, 12))
    assert context.now() == datetime(2026, 5, 1, 12, tzinfo=UTC)
    context.now().replace(year=1999)
    context.advance_time("90s")
    context.advance_time(timedelta(seconds=30))
    assert context.now() == datetime(2026, 5, 1, 12, 2, tzinfo=UTC)
    with pytest.raises(sd.SynodeError) as caught:
        context.advance_time(5)  # type: ignore[arg-type]
    assert caught.value.code == "INVALID_DURATION"


def test_id_generator_makes_every_id() -> None:
    numbers = count()
    context = sd.SynodeContext(id_generator=lambda kind: f"{kind}-{next(numbers)}")
    made = context.event("e")
    assert {made.user_id[:5], made.session_id[:8], made.id[:6]} == {"user-", "session-", "event-"}
    assert context.generate_id("order").startswith("order-")
    journey = sd.Journey("j", [sd.Adventure("a", [sd.Action("x")])])
    assert next(sd.Engine(journey).run(context)).session_id != made.session_id


def test_addressed_ids_are_unique_and_read_as_uuids() -> None:
    from uuid import UUID

    context = sd.SynodeContext(seed=4, user_index=9)
    made = {context.generate_id() for _ in range(100)} | {context.event("e").id for _ in range(100)}
    assert len(made) == 200
    assert all(UUID(each).hex == each and each.startswith(context.user_id) for each in made)
    assert context.generate_id("ord").startswith(f"ord_{context.user_id}")
    before = context.session_id
    context.rotate_session()
    assert context.session_id != before


def test_state_and_scopes() -> None:
    context = sd.SynodeContext(attributes={"tier": "free"})
    context.set("tier", "gold", scope="action")
    context.set("kept", [1])
    assert (context.get("tier"), context.get("kept"), context.get("none"), context.get("none", 7)) == (
        "gold",
        [1],
        None,
        7,
    )
    context.clear_scope("adventure")
    assert context.get("tier") == "gold"
    context.clear_scope("action")
    assert context.get("tier") == "free"
    for wrong in (lambda: context.set("a", 1, scope="session"), lambda: context.clear_scope("user")):
        with pytest.raises(sd.SynodeError) as caught:
            wrong()
        assert caught.value.code == "INVALID_SCOPE"
    with pytest.raises(sd.SynodeError) as caught:
        context.set("user_id", 1)
    assert caught.value.code == "FIELD_NAME_COLLISION"


def test_journeys_are_completed_once_marked() -> None:
    context = sd.SynodeContext()
    assert not context.has_completed_journey("j")
    context.mark_journey_complete("j")
    assert context.has_completed_journey("j")


def test_random_and_faker_belong_to_the_user_and_the_locale() -> None:
    one, again, other = (sd.SynodeContext(seed=1, user_index=user, locale="ja_JP") for user in (3, 3, 4))
    assert one.random.random() == again.random.random() != other.random.random()
    assert one.faker.name() == again.faker.name()
    assert one.locale == "ja_JP"
    assert not one.faker.last_name().isascii()
    assert sd.SynodeContext(attributes={"locale": "de_DE"}).locale == "de_DE"
    with pytest.raises(sd.SynodeError) as caught:
        sd.SynodeContext(locale="xx_XX")
    assert caught.value.code == "FAKER_ERROR"


def test_dataset_handle() -> None:
    context = sd.SynodeContext(datasets=[PLANS])
    plans = context.dataset("plans")
    assert (plans.id, plans.size, plans.frame.columns) == ("plans", 2, ["id", "price"])
    assert plans.rows() == [{"id": "free", "price": 0}, {"id": "pro", "price": 9}]
    assert plans.row("pro") == plans.row(9, column="price") == {"id": "pro", "price": 9}
    assert {plans.random_row()["id"] for _ in range(50)} == {"free", "pro"}
    plans.rows()[0]["price"] = 99
    assert plans.row("free")["price"] == 0
    for wrong, code in (
        (lambda: context.dataset("plan"), "DATASET_NOT_FOUND"),
        (lambda: plans.row("basic"), "ROW_NOT_FOUND"),
        (lambda: plans.row(1, column="cost"), "COLUMN_NOT_FOUND"),
        (lambda: context.register_dataset(PLANS), "DUPLICATE_ID"),
        (lambda: context.register_dataset(pl.DataFrame()), "INVALID_DATASET"),
    ):
        with pytest.raises(sd.SynodeError) as caught:
            wrong()
        assert caught.value.code == code


def test_registered_dataset_is_hydrated_and_may_pick_from_others() -> None:
    context = sd.SynodeContext(seed=5, datasets=[PLANS])
    context.register_dataset(sd.Dataset("users", 20, {"plan": sd.pick("plans", "id"), "n": sd.sequence()}))
    assert context.dataset("users").size == 20
    assert set(context.dataset("users").frame["plan"]) == {"free", "pro"}


def test_rows_typed_by_dataclass_typed_dict_and_pandera_model() -> None:
    context = sd.SynodeContext(datasets=[PLANS])
    assert context.typed_dataset("plans", Plan).row("pro") == Plan("pro", 9)
    assert context.typed_dataset("plans", PlanDict).row("pro") == {"id": "pro", "price": 9}
    assert context.typed_dataset("plans", PlanModel).size == 2

    @dataclass
    class Wanting:
        colour: str

    class Strict(pa.DataFrameModel):
        price: int = pa.Field(gt=5)

    for kind, code in ((Wanting, "COLUMN_NOT_FOUND"), (Strict, "INVALID_DATASET"), (int, "INVALID_CONTEXT")):
        with pytest.raises(sd.SynodeError) as caught:
            context.typed_dataset("plans", kind)
        assert caught.value.code == code


async def waits(ctx: sd.SynodeContext) -> list[sd.Event]:
    await asyncio.sleep(0)
    return [ctx.event("waited", n=ctx.random.randint(0, 99))]


JOURNEY = sd.Journey("j", [sd.Adventure("a", [sd.Action("x", handler=waits), sd.Action("y", time_span="1s")])])


def test_arun_is_run_in_the_callers_loop() -> None:
    async def collect() -> list[sd.Event]:
        return [event async for event in sd.Engine(JOURNEY).arun(sd.SynodeContext(seed=2))]

    assert asyncio.run(collect()) == list(sd.Engine(JOURNEY).run(sd.SynodeContext(seed=2)))


def test_run_and_generate_work_inside_a_running_loop() -> None:
    async def inside() -> tuple[int, int]:
        return len(list(sd.Engine(JOURNEY).run(sd.SynodeContext()))), sd.generate_df(JOURNEY, users=3).height

    assert asyncio.run(inside()) == (2, 6)


def test_error_of_an_async_handler_is_wrapped_by_run_and_arun() -> None:
    async def fails(ctx: sd.SynodeContext) -> list[sd.Event]:
        raise LookupError("gone")

    bad = sd.Journey("j", [sd.Adventure("a", [sd.Action("x", handler=fails)])])

    async def collect() -> list[sd.Event]:
        return [event async for event in sd.Engine(bad).arun(sd.SynodeContext())]

    for call in (lambda: list(sd.Engine(bad).run(sd.SynodeContext())), lambda: asyncio.run(collect())):
        with pytest.raises(sd.SynodeError) as caught:
            call()
        assert caught.value.code == "HANDLER_ERROR"
        assert isinstance(caught.value.__cause__, LookupError)
