"""Provider code that looks into what it drew: run once for each way, or left to Faker, but never given wrong values."""

from __future__ import annotations

import numpy as np
import pytest
from faker.providers import BaseProvider

import synode_df as sd
from synode_df.fields.fake.columnar import draw_column
from synode_df.fields.fake.conduct import Conduct
from synode_df.fields.fake.numbers import Values
from synode_df.fields.fake.single_row import SingleRow
from synode_df.fields.fake.texts import to_column
from synode_df.randomness import Draws
from synode_df.randomness.addresses import row_keys


class Odd(BaseProvider):
    def looks(self) -> str:
        return "long" if len(self.random_element(["a", "bb"])) > 1 else "short"

    def compares(self) -> str:
        return "yes" if self.random_element(["a", "b"]) == "a" else "no"

    def tests(self) -> str:
        return "yes" if self.random_element(["", "b"]) else "no"

    def slices(self) -> str:
        return self.random_element(["abc", "def"])[1:] + self.numerify("#")

    def uppercases(self) -> str:
        return f"{self.random_element(['abc', 'def'])}!".upper()

    def counts(self) -> str:
        return "x" * self.random_digit()

    def adds(self) -> int:
        return 1 + self.random_digit() * 3

    def finds(self) -> str:
        return {"a": "Anna", "b": "Bert"}[self.random_element("ab")]

    def pads(self) -> str:
        return f"{self.random_int(0, 120):04d}|%03d" % self.random_int(0, 50)

    def nests(self) -> str:
        return self.random_element([f"<{self.random_digit()}>", f"[{self.random_letter()}]"])

    def fine(self) -> str:
        return f"{self.random_element(['abc', 'def'])}-{self.numerify('##')}"

    def measures_joined(self) -> str:
        return str(len(f"{self.random_element(['a', 'bbb'])}!"))

    def pads_joined(self) -> str:
        return f"{self.random_element(['a', 'bbb'])}!".ljust(6, ".")

    def pads_in_template(self) -> str:
        return "{:<8}|".format(f"{self.random_element(['a', 'bbb'])}")

    def searches_joined(self) -> str:
        return "yes" if "bb" in f"{self.random_element(['a', 'bbb'])}!" else "no"

    def streams(self) -> float:
        return self.generator.random.gauss(0, 1)

    def never_ends(self) -> str:
        while True:
            if self.numerify("########") == "never":
                return "never"

    def keeps(self) -> str:
        self.last = getattr(self, "last", 0) + 1
        return f"{self.last}{self.random_digit()}"


COLUMNAR = "looks compares tests slices uppercases counts adds finds pads nests fine pads_in_template".split()
ROW_WISE = "measures_joined pads_joined searches_joined streams".split()


@pytest.mark.parametrize("method", COLUMNAR)
def test_columns_are_what_the_code_gives_for_each_row(method: str) -> None:
    fake = sd.fake(method, provider=Odd)
    assert fake.executor() == "columnar"
    generator = fake.generator("en_US", "test")
    draws = Draws(row_keys(1, "user", np.arange(300)), 5)
    drawn = draw_column(generator, draws, method, (), {})
    column = drawn.series if isinstance(drawn, Values) else to_column(drawn, len(draws)).series()
    for row, value in enumerate(column.to_list()):
        assert SingleRow(generator, Draws(draws.keys[row : row + 1], 5), Conduct()).call(method, (), {}) == value
    assert column.n_unique() > 1


@pytest.mark.parametrize("method", ROW_WISE)
def test_what_columns_would_get_wrong_is_left_to_faker(method: str) -> None:
    fake = sd.fake(method, provider=Odd)
    assert fake.executor() == "row-wise"
    assert sd.sample(fake, rows=60, seed=2).n_unique() > 1


def test_code_without_end_is_given_up() -> None:
    assert sd.fake("never_ends", provider=Odd).executor.__self__.provider is Odd
    assert draw_never() == "row-wise"


def draw_never() -> str:
    from synode_df.fields.fake.columnar import column_dtype

    generator = sd.fake("fine", provider=Odd).generator("en_US", "test")
    return "row-wise" if column_dtype(generator, "never_ends", (), {}) is None else "columnar"


def test_values_do_not_depend_on_the_batch() -> None:
    for method in (
        "finds",
        "nests",
        "pads",
        "user_agent",
        "credit_card_number",
        "date_of_birth",
        "sentence",
        "address",
    ):
        whole = sd.sample(sd.fake(method, provider=Odd), rows=50, seed=4)
        assert sd.sample(sd.fake(method, provider=Odd), rows=17, seed=4).equals(whole[:17])


def test_a_provider_must_be_a_class_of_providers() -> None:
    for provider in ("Odd", int, Odd):
        if provider is Odd:
            assert sd.fake("fine", provider=provider).provider is Odd
            continue
        with pytest.raises(sd.SynodeError) as caught:
            sd.fake("fine", provider=provider)
        assert caught.value.code == "FAKER_ERROR"


def test_today_stands_still() -> None:
    import datetime as dt

    births = sd.sample(sd.fake("date_of_birth", minimum_age=30, maximum_age=30), rows=2_000, seed=1)
    assert births.min() == dt.date(1995, 1, 2)
    assert births.max() == dt.date(1996, 1, 1) or births.max() == dt.date(1995, 12, 31)
    assert set(sd.sample(sd.fake("date_this_year"), rows=20, seed=1).dt.year()) <= {2025, 2026}
    by_function = sd.sample(sd.fake(lambda faker: faker.date_between("today", "today")), rows=2, seed=1)
    assert by_function.to_list() == [dt.date(2026, 1, 1)] * 2
