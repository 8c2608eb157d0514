"""Faker's methods as columns beside Faker itself: values a second, for every covered method.

`python -m tests.benchmarks.bench_faker` rewrites the table between its markers in docs/performance.md;
`--print` only shows it. One core: Polars is held to one thread, times are of the processor.
"""

from __future__ import annotations

import os

os.environ["POLARS_MAX_THREADS"] = "1"

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

import faker
import numpy as np

import synode_df as sd
from synode_df.fields.fake.columnar import draw_column
from synode_df.fields.fake.numbers import Values
from synode_df.fields.fake.texts import to_column
from synode_df.randomness import Draws
from synode_df.randomness.addresses import row_keys
from tests.fields.fake.covered import LOCALES, METHODS, arguments_of

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"
BEGIN, END = "<!-- faker: begin -->", "<!-- faker: end -->"
ROWS = 65_536
AIMED = ("name", "email", "city", "company", "phone_number")


def ours(method: str) -> float:
    """Values a second of ours, written out as a column of texts."""
    fake = sd.fake(method, **arguments_of(method))
    generator = fake.generator("en_US", "bench")
    draws = Draws(row_keys(1, "user", np.arange(ROWS)), 5)
    start = time.process_time()
    drawn = draw_column(generator, draws, method, (), fake.kwargs)
    if not isinstance(drawn, Values):
        to_column(drawn, ROWS).series()
    return ROWS / (time.process_time() - start)


def fakers(method: str) -> float:
    """Values a second of Faker's own."""
    own = faker.Faker("en_US")
    call, arguments = getattr(own, method), arguments_of(method)
    call(**arguments)
    start, made = time.process_time(), 0
    while time.process_time() - start < 0.05:
        for _ in range(20):
            call(**arguments)
        made += 20
    return made / (time.process_time() - start)


FIRST = """
import time, sys, faker
import synode_df as sd, polars, numpy
sd.sample(sd.fake("name"), rows=1, seed=1)
start = time.process_time(); faker.Faker(sys.argv[1]); own = time.process_time() - start
persona = sd.Persona("p", {"locale": sys.argv[1], "v": sd.fake(sys.argv[2])})
journey = sd.Journey("j", [sd.Adventure("a", [sd.Action("x")])])
start = time.process_time(); sd.generate_df(journey, users=1, persona=persona, seed=1); all = time.process_time() - start
start = time.process_time(); sd.generate_df(journey, users=1, persona=persona, seed=1); again = time.process_time() - start
print((all - again - own) * 1000)
"""


def first_use(locale: str, method: str) -> float:
    """Milliseconds that the first value of a locale takes beyond Faker's own start, in a new process."""
    found = subprocess.run([sys.executable, "-c", FIRST, locale, method], capture_output=True, text=True, check=True)
    return float(found.stdout)


def shown(rate: float) -> str:
    return f"{rate / 1e6:.2f} M" if rate >= 1e6 else f"{rate / 1e3:,.0f} k"


def table(rounds: int) -> str:
    lines = [
        f"Measured on one core, en_US, Faker {faker.VERSION}; median of {rounds} rounds in which both take turns.",
        "",
        "| method | ours, values a second | Faker | ratio (least – most) | columns in |",
        "|---|---:|---:|---:|---|",
    ]
    aims = []
    for method in METHODS:
        where = [each for each in LOCALES if sd.fake(method, **arguments_of(method)).executor(each) == "columnar"]
        if not hasattr(faker.Faker("en_US"), method) or "en_US" not in where:
            continue
        ours(method)
        pairs = [(ours(method), fakers(method)) for _ in range(rounds)]
        ratios = [one / other for one, other in pairs]
        own, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
        missing = [each for each in LOCALES if each not in where]
        places = "all 10" if not missing else f"all but {', '.join(missing)}"
        ratio = statistics.median(ratios)
        lines.append(
            f"| `{method}` | {shown(own)} | {shown(theirs)} | {ratio:,.0f} × ({min(ratios):,.0f} – {max(ratios):,.0f}) "
            f"| {places} |"
        )
        if method in AIMED:
            aims.append((method, own, ratio))
    lines += ["", "| aim | measured | reached |", "|---|---|---|"]
    for method, own, ratio in aims:
        reached = "yes" if own >= 1e6 and ratio >= 200 else "no"
        lines.append(f"| `{method}` ≥ 1 M values/s and ≥ 200 × | {shown(own)}, {ratio:,.0f} × | {reached} |")
    for locale in ("en_US", "de_DE", "ja_JP"):
        for method in ("name", "email"):
            took = statistics.median(first_use(locale, method) for _ in range(rounds))
            reached = "yes" if took <= 50 else "no"
            lines.append(f"| first `{method}` in {locale} ≤ 50 ms beyond Faker's start | {took:.0f} ms | {reached} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--print", action="store_true")
    options = parser.parse_args()
    made = table(options.rounds)
    print(made)
    if not options.print:
        page = PAGE.read_text(encoding="utf-8")
        before, rest = page.split(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n\n{made}\n\n{END}{rest.split(END)[1]}", encoding="utf-8")


if __name__ == "__main__":
    main()
