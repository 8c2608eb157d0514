"""Faker's values as columns: the same distribution as Faker's own, and nothing that Faker could not have made.

Two samples for each method and locale, ours and Faker's, compared by value where there are few values, else by shape
(digits and words replaced), by length and by first letter. About two thousand comparisons with fixed seeds: one fails
if samples of one distribution would differ as much less than once in two million times, so that all of them together
would fail by chance about once in a thousand times.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import cache

import numpy as np
import polars as pl
import pytest
from faker import Faker
from scipy import stats

import synode_df as sd

LOCALES = ("en_US", "de_DE", "ja_JP", "fr_FR", "pt_BR", "zh_CN", "ar_SA", "es_ES", "it_IT", "ko_KR")
METHODS = (
    "name name_male name_female first_name first_name_male first_name_female last_name prefix suffix user_name email "
    "safe_email free_email company_email domain_word domain_name url company company_suffix catch_phrase bs job city "
    "state country country_code postcode street_name street_address address phone_number color_name currency_code "
    "language_name license_plate bothify numerify lexify"
).split()
RARE = 5e-7


def ours(method: str, locale: str, rows: int, **arguments: object) -> list[str]:
    persona = sd.Persona("p", {"locale": locale, "value": sd.fake(method, **arguments)})
    nothing = sd.Journey("j", [sd.Adventure("a", [sd.Action("x")])])
    report = sd.generate(nothing, users=rows, persona=persona, adapter=sd.InMemoryAdapter(), seed=12)
    return report.users["value"].to_list()


def fakers(method: str, locale: str, rows: int) -> list[str]:
    faker = Faker(locale)
    faker.seed_instance(34)
    call = getattr(faker, method)
    return [call() for _ in range(rows)]


def shape(value: str) -> str:
    return re.sub(r"[^\W\d_]+", "w", re.sub(r"\d", "9", value))


def two_samples(one: Counter[object], other: Counter[object]) -> float:
    """The p-value of a chi-square test that both are of one distribution; rare categories are put together."""
    table = np.array([[one[key], other[key]] for key in sorted({*one, *other}, key=str)])
    common = table[table.sum(axis=1) >= 20]
    rest = table[table.sum(axis=1) < 20].sum(axis=0, keepdims=True)
    table = np.concatenate([common, rest]) if rest.sum() >= 20 else common
    return 1.0 if len(table) < 2 else float(stats.chi2_contingency(table).pvalue)


def check_two_samples(method: str, locale: str, rows: int) -> None:
    if sd.fake(method).executor(locale) != "columnar":
        pytest.skip("Faker's code for it is not columnar: Faker itself is called")
    mine, theirs = ours(method, locale, rows), fakers(method, locale, rows)
    for view in (str, shape, len, lambda value: value[:1], lambda value: value[-2:]):
        assert two_samples(Counter(map(view, mine)), Counter(map(view, theirs))) > RARE


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("method", METHODS)
def test_two_samples_are_of_one_distribution(method: str, locale: str) -> None:
    check_two_samples(method, locale, 400)


@pytest.mark.long
@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("method", METHODS)
def test_two_large_samples_are_of_one_distribution(method: str, locale: str) -> None:
    check_two_samples(method, locale, 20_000)


@cache
def vocabulary(locale: str) -> frozenset[str]:
    """Every word in every table of the providers that a locale uses."""
    words: set[str] = set()

    def collect(value: object) -> None:
        if isinstance(value, str):
            words.update(re.findall(r"[^\W\d_]+", value))
        elif isinstance(value, dict):
            for part in value:
                collect(part)
        elif isinstance(value, list | tuple | set):
            for part in value:
                collect(part)

    for provider in Faker(locale).factories[0].get_providers():
        for name in dir(provider):
            if not name.startswith("__"):
                collect(getattr(provider, name))
    return frozenset(words)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("method", ["name", "first_name", "company", "city", "job", "country", "street_name"])
def test_every_word_stands_in_fakers_tables(method: str, locale: str) -> None:
    known = vocabulary(locale)
    for value in ours(method, locale, 2_000):
        joined = re.findall(r"[^\W\d_]+", value)
        # City names may be put together from a name and an ending: Johnstad, North Lisaburgh.
        unknown = [word for word in joined if word not in known and not _compound(word, known)]
        assert unknown == []


def _compound(word: str, known: frozenset[str]) -> bool:
    """Whether a word is put together from words of the tables, or is an abbreviation by a mask of letters."""
    ends = {0}
    for end in range(1, len(word) + 1):
        if any(word[start:end] in known for start in ends):
            ends.add(end)
    return len(word) in ends or (len(word) == 3 and word.isupper())


@pytest.mark.parametrize("locale", ["en_US", "de_DE", "ja_JP", "fr_FR", "zh_CN", "pl_PL"])
def test_email_is_made_of_ascii_and_a_safe_domain(locale: str) -> None:
    for value in ours("email", locale, 2_000):
        assert re.fullmatch(r"[\w.-]+@example\.(com|org|net)", value)
        assert value == unicodedata.normalize("NFKD", value).lower()
        assert value.isascii()


def test_masks_are_filled_as_faker_fills_them() -> None:
    for value in ours("bothify", "en_US", 500, text="A-##%?!@$x", letters="xyz"):
        assert re.fullmatch(r"A-\d\d[1-9][xyz]\d?[1-9]?[2-9]x", value)
    assert {len(value) for value in ours("numerify", "en_US", 200, text="#######")} == {7}
    digits = Counter("".join(ours("numerify", "en_US", 5_000, text="#######")))
    assert stats.chisquare(list(digits.values())).pvalue > RARE
    assert len(digits) == 10


def test_arguments_are_honoured() -> None:
    assert all(value.endswith("@acme.test") for value in ours("email", "en_US", 50, domain="acme.test"))
    assert not any("@example." in value for value in ours("email", "en_US", 50, safe=False))
    with pytest.raises(sd.SynodeError) as caught:
        ours("email", "en_US", 5, colour="red")
    assert caught.value.code == "FAKER_ERROR"


def test_values_do_not_depend_on_the_batch_or_on_other_locales() -> None:
    attributes = {"locale": sd.one_of(["en_US", "de_DE", "ja_JP", "ru_RU"])}
    persona = sd.Persona("p", {**attributes, **{name: sd.fake(name) for name in ("name", "email", "company", "ipv4")}})
    fields = {name: pl.col(name) for name in ("name", "email", "company", "ipv4")}
    visit = sd.Journey("j", [sd.Adventure("a", [sd.Action("x", fields={**fields, "own": sd.fake("city")})])])
    whole = sd.generate_df(visit, users=60, persona=persona, seed=5)
    for batch_size in (1, 7):
        assert sd.generate_df(visit, users=60, persona=persona, seed=5, batch_size=batch_size).equals(whole)
    assert sd.dry_run(visit, users=60, persona=persona, seed=5).equals(whole)
    assert sd.generate_df(visit, users=20, persona=persona, seed=5).equals(whole.head(20))


def test_what_cannot_be_a_column_is_made_by_faker_itself() -> None:
    for method in ("ipv4", "uuid4", "date_of_birth", "sentence"):
        assert sd.fake(method).executor() == "row-wise"
        assert len(set(map(str, ours(method, "en_US", 50)))) > 40
    assert sd.fake(lambda faker: faker.name()).executor() == "row-wise"
    assert len(set(ours("name", "en_US", 50))) > 40


def test_a_provider_that_looks_into_what_it_drew_is_not_taken_for_columnar() -> None:
    from faker.providers import BaseProvider

    from synode_df.fields.fake import interpreter
    from synode_df.randomness import Draws

    class Odd(BaseProvider):
        def looks(self) -> str:
            drawn = self.random_element(["a", "bb"])
            return "long" if len(drawn) > 1 else "short"

        def compares(self) -> str:
            return "yes" if self.random_element(["a", "b"]) == "a" else "no"

        def tests(self) -> str:
            return "yes" if self.random_element(["", "b"]) else "no"

        def slices(self) -> str:
            return f"{self.random_element(['abc', 'def'])}!"[:2]

        def uppercases(self) -> str:
            return f"{self.random_element(['abc', 'def'])}!".upper()

        def counts(self) -> str:
            return "x" * self.random_digit()

        def adds(self) -> int:
            return 1 + self.random_digit()

        def streams(self) -> float:
            return self.generator.random.random()

        def fine(self) -> str:
            return f"{self.random_element(['abc', 'def'])}-{self.numerify('##')}"

    faker = Faker()
    faker.add_provider(Odd)
    nobody = Draws(np.empty(0, dtype=np.uint64), 0)
    for method in ("looks", "compares", "tests", "slices", "uppercases", "counts", "adds", "streams"):
        with pytest.raises(interpreter.NotColumnarError):
            interpreter.Interpreter(faker.factories[0], nobody, explore=True).run(method)
    assert interpreter.Interpreter(faker.factories[0], nobody, explore=True).run("fine")
