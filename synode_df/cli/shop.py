"""The demo's scenario: a shop with generated products that ships to real places."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import polars as pl

import synode_df as sd

PLACES: Final = Path(__file__).parent / "data" / "places.csv"
FUNNEL: Final = ("landed", "product_viewed", "added_to_cart", "checkout_started", "order_completed", "order_returned")


def shopper() -> sd.Persona:
    """Who comes to the shop."""
    return sd.Persona(
        "shopper",
        {
            "locale": sd.weighted({"en_US": 80, "es_MX": 20}),
            "email": sd.fake("email"),
            "device": sd.weighted({"mobile": 0.6, "desktop": 0.33, "tablet": 0.07}),
            "is_member": sd.chance(pl.when(pl.col("device") == "desktop").then(0.5).otherwise(0.3)),
            "age": sd.normal(38, 13, min=18, max=90, decimals=0),
        },
    )


def datasets() -> list[sd.Dataset]:
    """What is sold (generated) and where it is shipped to (real)."""
    products = sd.Dataset(
        "products",
        rows=500,
        fields={
            "sku": sd.sequence("SKU-{:05d}"),
            "name": sd.fake("catch_phrase"),
            "category": sd.weighted({"home": 30, "clothing": 40, "books": 20, "garden": 10}),
            "price": sd.lognormal(median=35, sigma=0.7, decimals=2),
            "popularity": sd.lognormal(median=1, sigma=1),
        },
    )
    return [products, sd.Dataset.from_file("places", PLACES)]


def journeys() -> list[sd.Journey]:
    """What they do: look, buy, and some of them send it back."""
    product = {
        "sku": pl.col("product").struct.field("sku"),
        "price": pl.col("product").struct.field("price"),
    }
    browse = sd.Adventure(
        "browse",
        [
            sd.Action(
                "land",
                event="landed",
                fields={"referrer": sd.weighted({"search": 50, "ads": 30, "mail": 20}), "device": pl.col("device")},
            ),
            sd.Action(
                "view",
                event="product_viewed",
                time_span=sd.TimeSpan("3s", "4m", distribution="exponential"),
                bounce_chance=0.35,
                remember={"product": sd.pick("products", ["sku", "price"], weight="popularity")},
                fields=product,
            ),
        ],
    )
    buy = sd.Adventure(
        "buy",
        [
            sd.Action("cart", event="added_to_cart", time_span=("5s", "5m"), fields=product),
            sd.Action("checkout", event="checkout_started", time_span=("20s", "10m"), bounce_chance=0.3),
            sd.Action(
                "order",
                event="order_completed",
                time_span=("30s", "8m"),
                bounce_chance=pl.when(pl.col("is_member")).then(0.1).otherwise(0.25),
                remember={"quantity": sd.integer(1, 3)},
                fields={
                    **product,
                    "quantity": pl.col("quantity"),
                    "revenue": (pl.col("quantity") * pl.col("price")).round(2),
                    "ship_to": sd.pick("places", ["city", "state"]),
                },
            ),
        ],
        bounce_chance=pl.when(pl.col("device") == "mobile").then(0.7).otherwise(0.55),
    )
    send_back = sd.Adventure(
        "send_back",
        [sd.Action("return", event="order_returned", fields={"reason": sd.one_of(["size", "taste", "defect"])})],
        bounce_chance=0.88,
    )
    return [
        sd.Journey("purchase", [browse, buy], suppression_period=("2d", "9d")),
        sd.Journey("return", [send_back], requires="purchase"),
    ]
