"""Faker's methods that compute with what they drew, done to columns: checksums, addresses of networks, dates.

Each has the same draws in the same order as Faker's code. Before a column is used, it is compared with what Faker's
own code makes of the same draws (`columnar.py`), so that a method that a locale or a release of Faker does in another
way is not taken from here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from synode_df.fields.fake.numbers import Moments, Number, Values
from synode_df.fields.fake.placeholders import refused
from synode_df.fields.fake.texts import Computed, Literal, joined, mapped, to_column

Digits = NDArray[np.int64]


def _digits(self: Any, text: Any, alphabet: str = "0123456789") -> Digits:
    """The characters of a text whose length is the same for all rows, as their positions in an alphabet."""
    rows = len(self._drawing.draws)
    node = self._drawing.resolved(text)
    series = to_column(node, rows).series() if rows else pl.Series([], dtype=pl.String)
    lengths = series.str.len_bytes()
    if rows and lengths.min() != lengths.max():
        refused()
    width = int(lengths[0]) if rows else 0
    raw = np.frombuffer("".join(series.to_list()).encode("ascii"), dtype=np.uint8).reshape(rows, width)
    values = np.full(256, -1, dtype=np.int64)
    for number, character in enumerate(alphabet):
        values[ord(character)] = number
    found = values[raw]
    if (found < 0).any():
        refused()
    return found


def _as_text(self: Any, numbers: Digits, width: int = 1) -> Any:
    """Whole numbers as text, filled with zeros."""
    return self._drawing.text(Computed(pl.Series(numbers, dtype=pl.Int64).cast(pl.String).str.zfill(width)))


def _credit_card_number(self: Any, prefix: str, length: int) -> Any:
    """`CreditCardProvider._generate_number`: the last digit makes the weighted sum a multiple of ten (Luhn)."""
    number = self.numerify(prefix + "#" * (length - len(prefix) - 1))
    reverse = _digits(self, number)[:, ::-1]
    doubled = reverse[:, 0::2] * 2
    doubled -= np.where(doubled > 9, 9, 0)
    total = doubled.sum(axis=1) + reverse[:, 1::2].sum(axis=1)
    return f"{number}{_as_text(self, (10 - total % 10) % 10)}"


def _iban(self: Any) -> Any:
    """`BankProvider.iban`: ISO 13616, the remainder by 97, digit by digit."""
    bban = self.bban()
    characters = _digits(self, f"{bban}{self.country_code}00", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    remainder = np.zeros(len(characters), dtype=np.int64)
    for column in characters.T:
        remainder = (remainder * np.where(column > 9, 100, 10) + column) % 97
    return f"{self.country_code}{_as_text(self, 98 - remainder, 2)}{bban}"


def _ipv4_in_subnets(self: Any, subnets: Any, weights: Any = None, network: bool = False) -> Any:
    """`InternetProvider._random_ipv4_address_from_subnets`: a network by its size, then an address in it."""
    if network or not subnets:
        refused()
    number = self._drawing.element(range(len(subnets)), weighting=False, weights=weights)
    starts = np.array([int(each.network_address) for each in subnets], dtype=np.int64)
    sizes = np.array([each.num_addresses for each in subnets], dtype=np.int64)
    which = number.numbers if isinstance(number, Number) else np.full(len(self._drawing.draws), number)
    unit = self._drawing.fraction(0.0, 1.0).numbers
    address = starts[which] + (unit * sizes[which]).astype(np.int64)
    octets = pl.Series(np.arange(256)).cast(pl.String)
    parts = [octets.gather(pl.Series((address >> shift) & 255, dtype=pl.UInt32)) for shift in (24, 16, 8, 0)]
    frame = pl.DataFrame([part.alias(str(at)) for at, part in enumerate(parts)])
    return self._drawing.text(Computed(frame.select(pl.concat_str(pl.all(), separator=".")).to_series()))


def _uuid4(self: Any, cast_to: Any = str) -> Any:
    """`MiscProvider.uuid4`: 128 bits, of which six say that it is a random UUID."""
    if cast_to is not str:
        refused()
    parts: list[Any] = []
    for number in range(8):
        drawn = self._drawing.number(0, 2**16)
        node = drawn.node("04x")
        if number == 3:
            node = mapped(node, lambda text: f"4{text[1:]}", "uuid version", whole=True)
        elif number == 4:
            node = mapped(node, lambda text: f"{int(text, 16) & 0x3FFF | 0x8000:04x}", "uuid variant", whole=True)
        parts += [Literal("-"), node] if number in (2, 3, 4, 5) else [node]
    return self._drawing.text(joined(tuple(parts)))


def _coordinates(self: Any, divisor: int) -> Values:
    """Millionths of a degree, between -180 and 180 degrees, through a divisor."""
    millionths = self.generator.random.randint(-180_000_000, 180_000_000).numbers
    digits = 5 + divisor  # a half of a millionth has seven
    exact = pl.Series(millionths * (10 if divisor == 2 else 1) // divisor).cast(pl.Decimal(38, digits))
    return Values(pl.select((exact / pl.lit(10**digits)).cast(pl.Decimal(38, digits))).to_series())


def _coordinate(self: Any, center: Any = None, radius: Any = 0.001) -> Values:
    """`GeoProvider.coordinate`."""
    if center is not None or radius != 0.001:
        refused()
    return _coordinates(self, 1)


def _latitude(self: Any) -> Values:
    """`GeoProvider.latitude`: half of a coordinate."""
    return _coordinates(self, 2)


def _longitude(self: Any) -> Values:
    """`GeoProvider.longitude`."""
    return _coordinates(self, 1)


def _between(self: Any, low: Any, high: Any) -> Moments:
    """Moments spread evenly between two Unix times, as Faker's `_rand_seconds`."""
    if low > high:
        refused()
    return Moments(self._drawing, _microseconds(self._drawing.fraction(float(low), float(high)).numbers))


def _microseconds(seconds: NDArray[np.float64]) -> NDArray[np.int64]:
    """Unix times in microseconds, rounded as `timedelta(seconds=...)` does."""
    fraction, whole = np.modf(seconds)
    return np.asarray(whole.astype(np.int64) * 1_000_000 + np.rint(fraction * 1e6).astype(np.int64))


def _date_time_ad(self: Any, tzinfo: Any = None, end_datetime: Any = None, start_datetime: Any = None) -> Moments:
    """`DateTimeProvider.date_time_ad`: from the year 1, or a start, to now, or an end."""
    if tzinfo is not None:
        refused()
    low = -62_135_596_800 if start_datetime is None else self._parse_start_datetime(start_datetime)
    return _between(self, low, self._parse_end_datetime(end_datetime))


def _date_time_between(self: Any, start_date: Any = "-30y", end_date: Any = "now", tzinfo: Any = None) -> Moments:
    """`DateTimeProvider.date_time_between`."""
    low, high = self._parse_date_time(start_date), self._parse_date_time(end_date)
    if tzinfo is not None or high - low <= 1:
        refused()
    return _between(self, low, high)


def _date_time_between_dates(
    self: Any, datetime_start: Any = None, datetime_end: Any = None, tzinfo: Any = None
) -> Any:
    """`DateTimeProvider.date_time_between_dates`."""
    low, high = (self._parse_date_time("now" if each is None else each) for each in (datetime_start, datetime_end))
    if tzinfo is not None or low < 0:
        refused()
    return _between(self, low, high)


def _date_time(self: Any, tzinfo: Any = None, end_datetime: Any = None) -> Moments:
    """`DateTimeProvider.date_time`: since 1970."""
    if tzinfo is not None:
        refused()
    return _between(self, 0, self._parse_end_datetime(end_datetime))


def _locale(self: Any) -> Any:
    """`BaseProvider.locale`: a language, then one of its regions."""
    regions = self.language_locale_codes
    number = self._drawing.element(range(len(regions)), weighting=False)
    which = number.numbers if isinstance(number, Number) else np.full(len(self._drawing.draws), number)
    counts = np.array([len(each) for each in regions.values()], dtype=np.int64)
    region = (self._drawing.fraction(0.0, 1.0).numbers * counts[which]).astype(np.int64)
    names = pl.Series([f"{language}_{each}" for language, own in regions.items() for each in own], dtype=pl.String)
    codes = (np.cumsum(counts) - counts)[which] + region
    return self._drawing.text(Computed(names.gather(pl.Series(codes.astype(np.uint32)))))


_COMPUTED: Mapping[str, Callable[..., Any]] = {
    "_generate_number": _credit_card_number,
    "iban": _iban,
    "locale": _locale,
    "_random_ipv4_address_from_subnets": _ipv4_in_subnets,
    "uuid4": _uuid4,
    "coordinate": _coordinate,
    "latitude": _latitude,
    "longitude": _longitude,
    "date_time_ad": _date_time_ad,
    "date_time_between": _date_time_between,
    "date_time_between_dates": _date_time_between_dates,
    "date_time": _date_time,
}


def computed_methods(provider: type) -> Mapping[str, Callable[..., Any]]:
    """Those of a provider's methods that are done here."""
    return {name: method for name, method in _COMPUTED.items() if hasattr(provider, name)}
