"""A scenario with something of everything, shared by the tests of the promises. Also a worker module."""

from __future__ import annotations

import polars as pl

import synode_df as sd


def checkout(ctx: sd.SynodeContext) -> list[sd.Event]:
    """Ids, Faker, random numbers and a dataset, from Python."""
    ctx.set("coupon", ctx.random.choice(["A", "B"]), scope="journey")
    row = ctx.dataset("plans").random_row()
    return [
        ctx.event("checkout", order=ctx.generate_id("ord"), who=ctx.faker.first_name(), plan=row["plan"]),
        ctx.event("paid", amount=round(ctx.random.uniform(1, 9), 2)),
    ]


async def returned(ctx: sd.SynodeContext) -> list[sd.Event]:
    """An async handler."""
    return [ctx.event("returned", late=ctx.random.random() < 0.5)]


def initials(ctx: sd.SynodeContext) -> str:
    """A callable field value."""
    return ctx.random.choice("abc") + str(ctx.user_index % 7)


persona = [
    (
        sd.Persona(
            "shopper",
            {
                "email": sd.fake("email"),
                "locale": sd.weighted({"en_US": 6, "de_DE": 4}),
                "device": sd.weighted({"mobile": 0.6, "desktop": 0.4}),
                "age": sd.normal(40, 12, min=18),
            },
        ),
        0.8,
    ),
    (sd.Persona("bot", {"device": "desktop", "speed": sd.exponential(3)}), 0.2),
]
datasets = [
    sd.Dataset("products", 50, {"sku": sd.sequence("SKU-{:03d}"), "price": sd.lognormal(40, 0.6, decimals=2)}),
    sd.Dataset("plans", 4, {"plan": sd.sequence("plan {}"), "share": sd.integer(1, 5)}),
]
browse = sd.Adventure(
    "browse",
    [
        sd.Action("land", fields={"referrer": sd.one_of(["ads", "mail"]), "initials": initials}),
        sd.Action(
            "view",
            time_span=("5s", "3m"),
            bounce_chance=0.2,
            remember={"product": sd.pick("products")},
            fields={"sku": pl.col("product").struct.field("sku")},
        ),
    ],
)
buy = sd.Adventure(
    "buy",
    [
        sd.Action("checkout", handler=checkout, time_span=sd.TimeSpan("1m", "2h", distribution="exponential")),
        sd.Action("thank", fields={"coupon": pl.col("coupon"), "price": pl.col("product").struct.field("price") * 2}),
    ],
    bounce_chance=pl.when(pl.col("device") == "mobile").then(0.5).otherwise(0.2),
    on_bounce="skip",
)
journeys = [
    sd.Journey("purchase", [browse, buy], bounce_chance=0.05, suppression_period=("1h", "9d")),
    sd.Journey("return", [sd.Adventure("back", [sd.Action("return", handler=returned)])], requires="purchase"),
]
