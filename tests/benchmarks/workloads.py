"""The workloads that the benchmarks measure: S, a shop in columns, and H, the same with Python handlers."""

from __future__ import annotations

import polars as pl

import synode_df as sd

ADVENTURES = {
    "browse": ["land", "search", "view"],
    "consider": ["details", "compare"],
    "buy": ["cart", "pay", "confirm"],
}


def persona() -> sd.Persona:
    """Four attributes: weighted, chance, weighted, normal."""
    return sd.Persona(
        "shopper",
        {
            "device": sd.weighted({"mobile": 0.6, "desktop": 0.3, "tablet": 0.1}),
            "is_member": sd.chance(0.35),
            "country": sd.weighted({"US": 50, "DE": 20, "FR": 15, "JP": 10, "BR": 5}),
            "age": sd.normal(40, 12, min=18, max=90, decimals=0),
        },
    )


def products() -> sd.Dataset:
    """500 rows to pick from."""
    return sd.Dataset(
        "products",
        rows=500,
        fields={"sku": sd.sequence("SKU-{:05d}"), "price": sd.lognormal(40, 0.6, decimals=2)},
    )


def shop() -> sd.Journey:
    """Workload S: 3 adventures, 8 actions, each bouncing with 5 %; a product picked once and remembered."""
    fields = {
        "device": pl.col("device"),
        "country": pl.col("country"),
        "sku": pl.col("product").struct.field("sku"),
        "price": pl.col("product").struct.field("price"),
    }
    first = {"remember": {"product": sd.pick("products")}}
    return sd.Journey(
        "purchase",
        [
            sd.Adventure(
                adventure,
                [
                    sd.Action(
                        action,
                        time_span=("5s", "3m"),
                        bounce_chance=0.05,
                        fields=fields,
                        **(first if action == "land" else {}),
                    )
                    for action in actions
                ],
            )
            for adventure, actions in ADVENTURES.items()
        ],
    )


def handle(ctx: sd.SynodeContext) -> list[sd.Event]:
    """One event with the remembered product, as a handler would make it."""
    product = ctx.get("product")
    return [ctx.event(device=ctx.get("device"), country=ctx.get("country"), sku=product["sku"], price=product["price"])]


def shop_with_handlers() -> sd.Journey:
    """Workload H: the same with a Python handler in every action."""
    first = {"remember": {"product": sd.pick("products")}}
    return sd.Journey(
        "purchase",
        [
            sd.Adventure(
                adventure,
                [
                    sd.Action(
                        action,
                        time_span=("5s", "3m"),
                        bounce_chance=0.05,
                        handler=handle,
                        **(first if action == "land" else {}),
                    )
                    for action in actions
                ],
            )
            for adventure, actions in ADVENTURES.items()
        ],
    )
