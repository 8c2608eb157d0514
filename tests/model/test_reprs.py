"""What declarations look like in a notebook cell and as text."""

from __future__ import annotations

from html.parser import HTMLParser

import polars as pl
import pytest

import synode_df as sd

EVIL = '<script>alert("x")</script>'


def function(ctx: sd.SynodeContext) -> int:
    return 1


ACTION = sd.Action(
    EVIL, event=EVIL, fields={EVIL: EVIL}, remember={f"r{EVIL}": 1}, time_span=("1s", "2s"), bounce_chance=0.25
)
ADVENTURE = sd.Adventure(EVIL, [ACTION], on_bounce="skip", bounce_chance=pl.col(EVIL), name=EVIL)
JOURNEY = sd.Journey(EVIL, [ADVENTURE], requires=[EVIL * 2], suppression_period="1d")
DECLARATIONS = [
    ACTION,
    sd.Action("h", handler=lambda ctx: []),
    ADVENTURE,
    JOURNEY,
    sd.Persona(EVIL, {EVIL: sd.weighted({EVIL: 1}), "f": function, "e": pl.lit(EVIL)}, name=EVIL),
    sd.Persona("nobody", {}),
    sd.Dataset(EVIL, 3, {EVIL: sd.one_of([EVIL])}),
    sd.Dataset.from_frame(EVIL, pl.DataFrame({EVIL: [1]})),
    sd.weighted({EVIL: 1}),
    sd.fake("email"),
]


class Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.seen.append(tag)
        assert all(name in ("style",) for name, _ in attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("declaration", DECLARATIONS, ids=lambda each: type(each).__name__)
def test_html_is_static_escaped_and_well_formed(declaration: sd.FieldGenerator) -> None:
    page = Tags(declaration._repr_html_())
    assert page.open == []
    assert set(page.seen) <= {"div", "p", "b", "table", "thead", "tbody", "tr", "th", "td", "code", "pre"}
    assert page.text.strip()


def test_html_of_a_journey_lists_every_step() -> None:
    action = sd.Action("order", event="ordered", fields={"n": 1}, time_span=("5s", "3m"), bounce_chance=0.25)
    page = Tags(sd.Journey("buy", [sd.Adventure("cart", [action])], requires="visit")._repr_html_())
    for words in ("Journey buy", "requires visit", "cart", "order", "5s to 3m", "0.25", "emits ordered with n"):
        assert words in page.text


def test_html_is_cut_where_there_is_too_much() -> None:
    text = sd.Persona("p", {f"a{n}": sd.weighted({f"v{k}": 1 for k in range(500)}) for n in range(300)})._repr_html_()
    assert "and 100 more" in text
    assert len(text) < 200_000


def test_text_is_an_outline() -> None:
    persona = sd.Persona("p", {"device": sd.weighted({"a": 1}), "vip": pl.col("user_index") < 9, "f": function})
    assert str(persona) == ('p\n  device  sd.weighted({"a": 1})\n  vip  pl.col("user_index") < 9\n  f  function()')
    assert str(sd.Dataset("d", 1_000, {"x": sd.uniform(0, 1)})) == "d  1,000 rows\n  x  sd.uniform(0, 1)"
