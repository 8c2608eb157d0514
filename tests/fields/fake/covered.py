"""The methods of Faker that are drawn as columns, and how two samples of them are compared."""

from __future__ import annotations

import datetime as dt
import random
import re
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
from scipy import stats

import synode_df as sd
from synode_df.fields.fake.instances import faker_for

LOCALES = ("en_US", "de_DE", "ja_JP", "fr_FR", "pt_BR", "zh_CN", "ar_SA", "es_ES", "it_IT", "ko_KR")
METHODS = (
    "name name_male name_female first_name first_name_male first_name_female last_name prefix suffix user_name email "
    "safe_email free_email company_email ascii_email domain_word domain_name url company company_suffix catch_phrase bs "
    "job city state country country_code postcode street_name street_address address phone_number color_name hex_color "
    "currency_code currency_name language_name word sentence ipv4 mac_address user_agent ean ean13 ean8 "
    "credit_card_number credit_card_provider credit_card_expire iban license_plate date_of_birth date_between latitude "
    "longitude uuid4 bothify numerify lexify hexify random_int boolean"
).split()
ARGUMENTS: dict[str, dict[str, object]] = {"bothify": {"text": "A?-%##@!$", "letters": "XYZ"}}
RARE = 5e-7


def arguments_of(method: str) -> dict[str, object]:
    return ARGUMENTS.get(method, {})


def ours(method: str, locale: str, rows: int, **arguments: object) -> list[Any]:
    persona = sd.Persona("p", {"locale": locale, "value": sd.fake(method, **{**arguments_of(method), **arguments})})
    nothing = sd.Journey("j", [sd.Adventure("a", [sd.Action("x")])])
    report = sd.generate(nothing, users=rows, persona=persona, adapter=sd.InMemoryAdapter(), seed=12)
    return report.users["value"].to_list()


def fakers(method: str, locale: str, rows: int) -> list[Any]:
    """Faker's own values, from its own random numbers, with the clock that ours has."""
    faker = faker_for(locale, "test")
    faker.factories[0].random = random.Random(34)
    call = getattr(faker, method)
    return [call(**arguments_of(method)) for _ in range(rows)]


def shape(value: str) -> str:
    return re.sub(r"[^\W\d_]+", "w", re.sub(r"\d", "9", value))


def views(example: object) -> dict[str, Callable[[Any], object]]:
    """What of a value is compared."""
    if isinstance(example, bool):
        return {"value": bool}
    if isinstance(example, int | float | Decimal):
        return {"twentieth": lambda value: int(float(value) // 20), "digit": lambda value: int(value * 10**6) % 10}
    if isinstance(example, dt.date):
        return {"year": lambda day: day.year, "month": lambda day: day.month, "day": lambda day: day.day}
    return {"value": str, "shape": shape, "length": len, "start": lambda text: text[:1], "end": lambda text: text[-2:]}


def two_samples(one: Counter[object], other: Counter[object]) -> float:
    """The p-value of a chi-square test that both are of one distribution; rare categories are put together."""
    table = np.array([[one[key], other[key]] for key in sorted({*one, *other}, key=str)])
    common = table[table.sum(axis=1) >= 20]
    rest = table[table.sum(axis=1) < 20].sum(axis=0, keepdims=True)
    table = np.concatenate([common, rest]) if rest.sum() >= 20 else common
    return 1.0 if len(table) < 2 else float(stats.chi2_contingency(table).pvalue)
