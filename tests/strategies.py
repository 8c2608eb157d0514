"""Random scenarios, from a `random.Random` that hypothesis controls and shrinks."""

from __future__ import annotations

import asyncio
import datetime as dt
from random import Random
from typing import Any

import polars as pl

import synode_df as sd

NAMES = ("a", "b", "c")

Available = list[tuple[str, str]]


def annotated(ctx: sd.SynodeContext) -> int:
    return ctx.random.randint(0, 9)


def loosely_typed(ctx: sd.SynodeContext):
    return ctx.random.choice([1, 2.5, None])


def text(ctx: sd.SynodeContext):
    return f"{ctx.get('seg')}-{ctx.random.randint(0, 3)}"


def busy(ctx: sd.SynodeContext) -> str | None:
    """A callable that does more than read: time passes, state changes, ids and Faker are used."""
    ctx.advance_time("7m")
    ctx.set("hy", ctx.get("hy", 0) + 1, scope="journey")
    return ctx.random.choice([None, ctx.generate_id("b"), ctx.faker.city(), str(ctx.get("hy"))])


def of_row(ctx: sd.SynodeContext, row: Any) -> int:
    """A dataset's callable."""
    return row.index * 10 + len(row.data) + ctx.random.randint(0, 3)


def probability(r: Random) -> Any:
    return r.choice(
        [
            0,
            0,
            0,
            0.1,
            0.3,
            0.5,
            1.0,
            pl.when(pl.col("seg") == "x").then(0.5).otherwise(0.1),
            pl.col("member"),
            pl.col("score").clip(0, 1),
            pl.col("timestamp").dt.hour() / 40,
            pl.col("user_index") % 2,
            pl.when(pl.col("home").struct.field("n") > 1).then(0.4).otherwise(0.05),
        ]
    )


def time_span(r: Random) -> Any:
    return r.choice(
        [
            None,
            None,
            "5s",
            ("1s", "3h"),
            ("0s", "1us"),
            "12h",
            sd.TimeSpan("1m", "2d", distribution="normal"),
            sd.TimeSpan("1m", "2d", distribution="exponential"),
        ]
    )


def field_value(r: Random, available: Available) -> Any:
    """A constant, generator, expression or callable; expressions read only what is surely there."""
    makers = [
        lambda: r.choice([1, 2.5, "s", None, True, [1, 2], {"k": 1}, dt.date(2026, 1, 1), dt.datetime(2026, 1, 1)]),
        lambda: sd.weighted({"p": 1, "q": 2}),
        lambda: sd.one_of([1, 2, 3]),
        lambda: sd.chance(0.3),
        lambda: sd.chance(pl.col("score").clip(0, 1)),
        lambda: sd.uniform(0, 5, decimals=r.choice([None, 2])),
        lambda: sd.integer(0, 9),
        lambda: sd.normal(0, 1, min=-1),
        lambda: sd.lognormal(3, 0.5),
        lambda: sd.exponential(2),
        lambda: sd.poisson(3),
        lambda: sd.sequence("N{:03d}"),
        lambda: sd.pick("d"),
        lambda: sd.pick("d", "v"),
        lambda: sd.pick("e", ["w", "n"], weight="n"),
        lambda: sd.fake("city"),
        lambda: annotated,
        lambda: loosely_typed,
        lambda: text,
        lambda: busy,
        lambda: sd.pick("k"),
        lambda: sd.pick("f", ["m", "back"]),
        lambda: sd.weighted({"long text that no view holds": 1, None: 2}),
        lambda: pl.col("home").struct.field("w"),
        lambda: pl.col("home"),
        lambda: pl.concat_str("seg", "user_id").str.len_chars(),
        lambda: pl.col("seg").is_in(["x"]) & (pl.col("score") > 0.5),
        lambda: pl.col("score") * 2,
        lambda: pl.format("{}-{}", pl.col("seg"), pl.col("user_index")),
        lambda: pl.col("seg"),
        lambda: pl.col("timestamp").dt.hour(),
        lambda: pl.lit(3),
        lambda: pl.col("session_id").str.head(3),
    ]
    for name, kind in available:
        makers.append(lambda name=name: pl.col(name))
        if kind == "struct":
            makers += [lambda name=name: pl.col(name).struct.field("v")] * 4
        elif kind == "number":
            makers += [lambda name=name: pl.col(name) + 1] * 3
        elif kind == "mixed":
            makers += [lambda name=name: pl.col(name) + 1, lambda name=name: pl.col(name).fill_null(-5)] * 2
        elif kind == "python":
            makers += [lambda name=name: pl.col(name).is_null()] * 2
    return r.choice(makers)()


def kind_of(value: Any) -> str:
    if isinstance(value, sd.FieldGenerator):
        written = repr(value)
        if written in ("pick('d')", "pick('k')"):
            return "struct"
        numbers = ("integer", "uniform", "poisson", "one_of([1", "lognormal", "normal", "exponential")
        return "number" if written.startswith(numbers) else "other"
    return "python" if any(value is each for each in (loosely_typed, text, busy)) else "other"


class RandomHandler:
    """A handler that uses all of the context; the bits of `flavour` choose how."""

    def __init__(self, flavour: int) -> None:
        self.flavour = flavour

    def __call__(self, ctx: sd.SynodeContext) -> list[sd.Event]:
        r = ctx.random
        if self.flavour & 1:
            ctx.set("hx", r.choice([1, "t", 2.5]), scope=r.choice([None, "action", "adventure", "journey"]))
        if self.flavour & 2:
            ctx.set("mix", r.randint(100, 110), scope=r.choice([None, "action", "adventure", "journey"]))
            ctx.set("mix2", ctx.get("mix", -1) + 1)
        if self.flavour & 4:
            ctx.clear_scope(r.choice(["action", "adventure", "journey"]))
        if self.flavour & 8:
            cart = ctx.get("cart", [])
            cart.append(r.randint(0, 9))
            ctx.set("cart", cart)
            ctx.get("home")["w"] = "spoiled"
            (ctx.dataset("k").random_row()["tags"] or []).append("spoiled")
        if r.random() < 0.3:
            ctx.advance_time(r.choice(["1s", "3h", "1d"]))
        if r.random() < 0.2:
            ctx.rotate_session()
        if r.random() < 0.1:
            ctx.mark_journey_complete("j2")
        ctx.generate_id("p")
        events = []
        for _ in range(r.randint(0, 3)):
            payload: dict[str, Any] = {"h1": r.randint(0, 5), "h2": str(ctx.get("a")), "h3": str(ctx.get("hx"))}
            if r.random() < 0.5:
                payload = {"h1": r.random(), "seen": ctx.has_completed_journey("j0")}
            if r.random() < 0.2:
                payload = {"row": ctx.dataset("d").random_row()["v"], "locale": ctx.locale}
            if r.random() < 0.2:
                payload = {"cart": list(ctx.get("cart", [])), "home": ctx.get("home"), "who": ctx.faker.first_name()}
            if r.random() < 0.2:
                payload = {"tags": ctx.dataset("k").random_row()["tags"], "mix": ctx.get("mix"), "shared": r.random()}
            event = ctx.event(r.choice(["e1", "e2", None]), **payload)
            if r.random() < 0.2:
                event = event._replace(timestamp=ctx.now() - dt.timedelta(hours=r.randint(-50, 50)))
            if r.random() < 0.05:
                event = event._replace(user_id="someone else")
            if r.random() < 0.05:
                event = event._replace(session_id=f"session {r.randint(0, 3)}")
            events.append(event)
        return events


class AsyncRandomHandler(RandomHandler):
    """The same, async: what it does comes after others had their turn."""

    async def __call__(self, ctx: sd.SynodeContext) -> list[sd.Event]:  # type: ignore[override]
        for _ in range(ctx.user_index % 3):
            await asyncio.sleep(0)
        return super().__call__(ctx)


def action(r: Random, place: str, available: Available) -> sd.Action:
    remember = {}
    for name in r.sample(NAMES, r.choice([0, 0, 1, 2])):
        if all(name != known for known, _ in available):  # one name has one type
            remember[name] = field_value(r, list(available))
    available += [(name, kind_of(value)) for name, value in remember.items()]
    if r.random() < 0.3:  # several actions remember it, and handlers set it
        remember["mix"] = sd.integer(r.randint(0, 3), 9)
        available += [("mix", "mixed")] * (("mix", "mixed") not in available)
    options: dict[str, Any] = {"time_span": time_span(r), "bounce_chance": probability(r)}
    if remember:
        options |= {"remember": remember, "remember_scope": r.choice([None, "action", "adventure", "journey"])}
    if r.random() < 0.2:
        kind = r.choice([RandomHandler, AsyncRandomHandler])
        options["handler"] = kind(r.randint(0, 15))
    else:
        fields: dict[str, Any] = {}
        seen = list(available)
        for number in range(r.randint(0, 3)):
            name = f"{place}_f{number}"
            fields[name] = field_value(r, seen)
            seen.append((name, kind_of(fields[name])))
        if r.random() < 0.4:  # a field of several actions, in the order of either
            fields["shared"] = r.choice([sd.integer(0, 9), sd.uniform(0, 1), 7, None, pl.col("score")])
        if r.random() < 0.2:  # a field that hides an attribute
            fields["score"] = sd.uniform(5, 6)
            fields[f"{place}_hidden"] = pl.col("score")
        options["fields"] = (
            dict(sorted(fields.items(), key=lambda each: each[0] != "shared")) if r.random() < 0.5 else fields
        )
        if r.random() < 0.4:  # an event of several actions
            options["event"] = r.choice(["e1", "shared"])
    # The same id in another adventure is another action.
    return sd.Action(place[-2:] if r.random() < 0.3 else place, **options)


def scenario(r: Random) -> tuple[list[sd.Journey], dict[str, Any]]:
    """Journeys, and the options of their run."""
    available: Available = []
    journeys = []
    for j in range(r.randint(1, 4)):
        adventures = []
        for a in range(r.randint(1, 3)):
            actions = [action(r, f"j{j}a{a}k{k}", available) for k in range(r.randint(1, 3))]
            adventures.append(
                sd.Adventure(
                    f"a{a}",
                    actions,
                    time_span=time_span(r),
                    bounce_chance=probability(r),
                    on_bounce=r.choice(["stop", "skip"]),
                )
            )
        journeys.append(
            sd.Journey(
                f"j{j}",
                adventures,
                requires=[f"j{number}" for number in range(j) if r.random() < 0.3],
                bounce_chance=probability(r),
                suppression_period=r.choice([None, "1h", ("1h", "5d")]),
            )
        )
    attributes = {
        "seg": sd.weighted({"x": 1, "y": 2}),
        "member": sd.chance(0.4),
        "score": sd.uniform(0, 1),
        "home": sd.pick("e"),
    }
    if r.random() < 0.3:
        attributes["derived"] = pl.when(pl.col("seg") == "x").then(pl.col("score")).otherwise(None)
    if r.random() < 0.3:
        attributes["locale"] = sd.one_of(["de_DE", "ja_JP", None])
    if r.random() < 0.3:
        attributes["called"] = loosely_typed
    persona: Any = sd.Persona("p", attributes)
    if r.random() < 0.4:
        other = {**attributes, "score": sd.integer(0, 1), "extra": sd.integer(0, 1)}
        persona = [(persona, 0.7), (sd.Persona("q", other), 0.3)]
        if r.random() < 0.3:
            persona.append((sd.Persona("r", attributes), r.choice([0.2, 0])))
    datasets = [
        sd.Dataset("d", 5, {"v": sd.integer(0, 9), "s": sd.sequence("S{}")}),
        sd.Dataset("e", 3, {"w": sd.one_of(["u", "v"]), "n": sd.integer(1, 3)}),
        sd.Dataset("f", 4, {"m": of_row, "back": sd.pick("e", "w"), "twice": pl.col("m") * 2}),
    ]
    tagged = pl.DataFrame({"v": [1, 2, 3], "tags": [["a"], [], None]})
    window = r.choice([{}, {"duration": "6h"}, {"duration": "3d"}, {"duration": "1s"}])
    return journeys, {
        "persona": persona,
        "datasets": datasets,
        "preloaded_datasets": [sd.Dataset.from_frame("k", tagged)],
        "seed": r.choice([r.randrange(1_000), 2**64 - 1 - r.randrange(1_000)]),
        **window,
    }
