"""unique=True: distinct over the whole population, by construction and addressed."""

from __future__ import annotations

import pickle

import numpy as np
import polars as pl
import pytest
from scipy import stats

import synode_df as sd
from synode_df.fields.fake.spaces import permuted, table_key
from synode_df.randomness.addresses import mixed, row_keys

MIXED = sd.weighted({"en_US": 4, "de_DE": 2, "ja_JP": 1})
VISIT = sd.Journey("j", [sd.Adventure("a", [sd.Action("x", fields={"email": pl.col("email")})])])


def population(users: object, method: str = "email", locale: object = MIXED, **options: object) -> pl.Series:
    persona = sd.Persona("p", {"locale": locale, "email": sd.fake(method, unique=True)})
    nothing = sd.Journey("j", [sd.Adventure("a", [sd.Action("x")])])
    report = sd.generate(nothing, users=users, persona=persona, adapter=sd.InMemoryAdapter(), seed=5, **options)
    return report.users["email"]


@pytest.mark.parametrize(
    "method", ["email", "name", "user_name", "phone_number", "uuid4", "ean13", "city", "mac_address", "iban", "company"]
)
def test_no_two_users_have_the_same(method: str) -> None:
    assert population(20_000, method, "en_US").n_unique() == 20_000


def test_no_two_users_of_several_locales_have_the_same() -> None:
    locales = sd.one_of(["en_US", "en_GB", "de_DE"])
    assert population(20_000, "name", locales).n_unique() == 20_000


def test_a_million_users() -> None:
    emails = sd.sample(sd.fake("email", unique=True), rows=1_000_000, seed=5)
    assert emails.n_unique() == 1_000_000


def test_slices_and_batches_and_workers_give_the_same() -> None:
    whole = population(3_000)
    assert population(1_000).equals(whole[:1_000])
    assert population(range(1_500, 1_600)).equals(whole[1_500:1_600])
    assert population(3_000, batch_size=97).equals(whole)
    assert population(3_000, n_jobs=2).equals(whole)


def test_both_engines_agree_in_attributes_and_fields() -> None:
    persona = sd.Persona("p", {"locale": MIXED, "email": sd.fake("email", unique=True)})
    fields = {"email": pl.col("email"), "code": sd.fake("bothify", "??-####", unique=True)}
    visit = sd.Journey("j", [sd.Adventure("a", [sd.Action("x", fields=fields)])])
    events = sd.generate_df(visit, users=40, persona=persona, seed=5)
    assert sd.dry_run(visit, users=40, persona=persona, seed=5).equals(events)
    assert events["code"].n_unique() == 40


def test_personas_of_a_mixture_share_what_is_distinct() -> None:
    one = sd.Persona("one", {"locale": "en_US", "email": sd.fake("email", unique=True)})
    two = sd.Persona("two", {"locale": MIXED, "email": sd.fake("email", unique=True)})
    nothing = sd.Journey("j", [sd.Adventure("a", [sd.Action("x")])])
    mixture = [(one, 1), (two, 1)]
    users = sd.generate(nothing, users=3_000, persona=mixture, adapter=sd.InMemoryAdapter(), seed=5).users
    assert users["email"].n_unique() == 3_000


def test_every_distinct_value_is_used_before_it_ends_in_an_error() -> None:
    letters = sd.fake("lexify", "??", letters="abcdefghij", unique=True)
    values = sd.sample(letters, rows=100, seed=1)
    assert sorted(values) == sorted(a + b for a in "abcdefghij" for b in "abcdefghij")
    with pytest.raises(sd.SynodeError, match="not enough different values") as caught:
        sd.sample(letters, rows=101, seed=1)
    assert caught.value.code == "FAKER_ERROR"


def test_locales_with_the_same_names_share_them_out() -> None:
    names = population(100, "first_name", sd.one_of(["en_US", "en_GB", "de_DE", "fr_FR"]))
    assert names.n_unique() == 100


def test_other_seeds_and_fields_give_other_values() -> None:
    one, other = (sd.sample(sd.fake("email", unique=True), rows=200, seed=seed) for seed in (1, 2))
    assert one.to_list() != other.to_list()
    persona = sd.Persona("p", {name: sd.fake("bothify", "??##", unique=True) for name in ("a", "b")})
    nothing = sd.Journey("j", [sd.Adventure("a", [sd.Action("x")])])
    users = sd.generate(nothing, users=200, persona=persona, adapter=sd.InMemoryAdapter(), seed=5).users
    assert (users["a"] == users["b"]).sum() < 5


@pytest.mark.parametrize("fake", [sd.fake("text", unique=True), sd.fake(lambda faker: faker.name(), unique=True)])
def test_what_cannot_be_promised_is_refused(fake: sd.FieldGenerator) -> None:
    with pytest.raises(sd.SynodeError, match="cannot be promised") as caught:
        sd.sample(fake, rows=5)
    assert caught.value.code == "FAKER_ERROR"


def test_a_locale_computed_for_each_user_is_refused() -> None:
    with pytest.raises(sd.SynodeError, match="known beforehand"):
        population(5, locale=lambda ctx: "en_US")


def test_declaration() -> None:
    fake = sd.fake("email", unique=True)
    assert repr(fake) == "fake('email', unique=True)"
    assert fake != sd.fake("email")
    assert pickle.loads(pickle.dumps(fake)) == fake
    with pytest.raises(sd.SynodeError):
        sd.fake("email", unique="yes")


@pytest.mark.parametrize("size", [1, 2, 3, 10, 1_000, 4_097, 70_000])
def test_permutations_are_permutations(size: int) -> None:
    numbers = permuted(np.arange(size, dtype=np.uint64), size, 7)
    assert sorted(numbers.tolist()) == list(range(size))


def test_permutations_look_random() -> None:
    numbers = permuted(np.arange(60_000, dtype=np.uint64), 10**9, 3).astype(np.float64) / 10**9
    assert stats.kstest(numbers, "uniform").pvalue > 0.001
    assert abs(np.corrcoef(numbers[1:], numbers[:-1])[0, 1]) < 0.02


def test_the_key_of_a_table_is_found_from_any_of_its_rows() -> None:
    index = np.array([0, 1, 77, 9_999_999], dtype=np.int64)
    keys = row_keys(42, "user", index)
    assert len({table_key(keys[at:], index[at:]) for at in range(4)}) == 1
    assert table_key(row_keys(43, "user", index), index) != table_key(keys, index)
    assert mixed(0) == 0
