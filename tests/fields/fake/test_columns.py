"""Faker's values as columns: the same distribution as Faker's own, and nothing that Faker could not have made.

Two samples for each method and locale, ours and Faker's, compared by value where there are few values, else by shape
(digits and words replaced), by length, and by how they begin and end. Some 2,500 comparisons with fixed seeds. One
fails if samples of one distribution would differ as much less than once in two million times (RARE, 5e-7), so that
all of them together would fail by chance about once in a thousand times (Bonferroni).
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
from synode_df.fields.fake.columnar import draw_column
from synode_df.fields.fake.conduct import Conduct
from synode_df.fields.fake.numbers import Values
from synode_df.fields.fake.single_row import SingleRow
from synode_df.fields.fake.texts import to_column
from synode_df.randomness import Draws
from synode_df.randomness.addresses import row_keys
from tests.fields.fake.covered import LOCALES, METHODS, RARE, arguments_of, fakers, ours, two_samples, views


def check_two_samples(method: str, locale: str, rows: int) -> None:
    if sd.fake(method, **arguments_of(method)).executor(locale) != "columnar":
        pytest.skip("Faker's code for it is not columnar: Faker itself is called")
    mine, theirs = ours(method, locale, rows), fakers(method, locale, rows)
    assert len(mine) == len(theirs) == rows
    for name, view in views(mine[0]).items():
        assert two_samples(Counter(map(view, mine)), Counter(map(view, theirs))) > RARE, name


@pytest.mark.parametrize("locale", LOCALES[:4])
@pytest.mark.parametrize("method", METHODS)
def test_two_samples_are_of_one_distribution(method: str, locale: str) -> None:
    check_two_samples(method, locale, 300)


@pytest.mark.long
@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("method", METHODS)
def test_two_large_samples_are_of_one_distribution(method: str, locale: str) -> None:
    check_two_samples(method, locale, 20_000)


def check_membership(method: str, locale: str, rows: int) -> None:
    """Faker's provider code, run with plain values, gives exactly what the columns have."""
    fake = sd.fake(method, **arguments_of(method))
    if fake.executor(locale) != "columnar":
        pytest.skip("Faker itself is called")
    generator = fake.generator(locale, "test")
    draws = Draws(row_keys(99, "user", np.arange(rows)), 7)
    drawn = draw_column(generator, draws, method, (), fake.kwargs)
    column = drawn.series if isinstance(drawn, Values) else to_column(drawn, len(draws)).series()
    for row, value in enumerate(column.to_list()):
        own = Draws(draws.keys[row : row + 1], draws.place)
        assert SingleRow(generator, own, Conduct()).call(method, (), fake.kwargs) == value


@pytest.mark.parametrize("locale", LOCALES[:4])
@pytest.mark.parametrize("method", METHODS)
def test_every_value_is_what_fakers_own_code_makes_of_the_same_draws(method: str, locale: str) -> None:
    check_membership(method, locale, 100)


@pytest.mark.long
@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("method", METHODS)
def test_every_one_of_many_values_is_what_fakers_own_code_makes_of_the_same_draws(method: str, locale: str) -> None:
    check_membership(method, locale, 5_000)


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
    for method in ("text", "md5", "isbn13", "paragraph"):
        assert sd.fake(method).executor() == "row-wise"
        assert len(set(map(str, ours(method, "en_US", 50)))) > 40
    assert sd.fake(lambda faker: faker.name()).executor() == "row-wise"
    assert len(set(ours("name", "en_US", 50))) > 40
