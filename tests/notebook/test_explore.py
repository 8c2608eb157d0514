"""explore: every picture draws the frame of its analysis, on what the filters leave."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

import ipywidgets as widgets
import numpy as np
import polars as pl
import pytest

import synode_df as sd
from synode_df.cli import shop
from synode_df.notebook.event_log import EventLog, Filters
from synode_df.notebook.explore import ExplorePanel
from synode_df.notebook.pictures import PICTURES

ADAPTER = sd.InMemoryAdapter()
REPORT = sd.generate(
    shop.journeys(),
    users=400,
    persona=shop.shopper(),
    datasets=shop.datasets(),
    adapter=ADAPTER,
    seed=7,
    progress=False,
)
EVENTS = ADAPTER.events
USERS = REPORT.users
STEPS = list(shop.FUNNEL[:5])
LAST = EVENTS["user_id"][-1]

ANALYSES: dict[str, Callable[[pl.DataFrame, str | None, pl.DataFrame], pl.DataFrame]] = {
    "Funnel": lambda events, by, users: sd.funnel(events, STEPS, by=by, users=users),
    "Paths": lambda events, by, users: sd.paths(events, steps=4, top=8),
    "Events over time": lambda events, by, users: sd.activity(events, every="1d", by=by, users=users),
    "Hour and weekday": lambda events, by, users: sd.hourly(events),
    "Session length": lambda events, by, users: sd.distribution(
        sd.sessions(events).join(users, on="user_id"), "duration", bins=24, scale="log", by=by
    ),
    "Time between events": lambda events, by, users: sd.distribution(
        sd.gaps(events).join(users, on="user_id"), "gap", bins=24, scale="log", by=by
    ),
    "Users by attribute": lambda events, by, users: sd.breakdown(events, by or "device", users=users),
    "One user": lambda events, by, users: sd.user_timeline(events, LAST),
}


def panel_of(picture: str, by: str | None = None) -> ExplorePanel:
    panel = sd.explore(EVENTS, USERS, steps=STEPS, picture=picture)
    if picture == "Users by attribute":
        panel.control("Break down by").value = by or "device"
    elif by is not None:
        panel.control("Break down by").value = by
    panel.control("User").value = LAST
    assert panel.message == ""
    return panel


def same(found: pl.DataFrame, expected: pl.DataFrame) -> bool:
    return found.columns == expected.columns and found.rows() == expected.rows()


@pytest.mark.parametrize("by", [None, "device", "is_member", "locale"])
@pytest.mark.parametrize("picture", PICTURES)
def test_a_picture_draws_the_frame_of_its_analysis(picture: str, by: str | None) -> None:
    panel = panel_of(picture, by)
    users = USERS.select("user_id", pl.col("device", "is_member", "locale").cast(pl.String))
    expected = ANALYSES[picture](EVENTS, by, users)
    assert same(panel.frame, expected)
    assert panel.chart.frame is panel.frame


FILTERS: dict[str, tuple[dict[str, object], pl.Expr]] = {
    "events": ({"Events": STEPS[:4]}, pl.col("event").is_in(STEPS[:4])),
    "journey": ({"Journey": "purchase"}, pl.col("journey_id") == "purchase"),
    "days": (
        {"From": date(2026, 1, 8), "To": date(2026, 1, 20)},
        pl.col("timestamp").dt.date().is_between(date(2026, 1, 8), date(2026, 1, 20)),
    ),
    "attribute": (
        {"Where": "device", "Is": "mobile"},
        pl.col("user_id").is_in(USERS.filter(pl.col("device") == "mobile")["user_id"].implode()),
    ),
}


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("picture", [name for name in PICTURES if name != "One user"])
def test_filters_choose_what_is_drawn(picture: str, name: str) -> None:
    settings, passing = FILTERS[name]
    panel = panel_of(picture)
    figure = panel.chart.figure
    for control, value in settings.items():
        panel.control(control).value = value
    users = USERS.filter(pl.col("device") == "mobile") if name == "attribute" else USERS
    kept = EVENTS.filter(passing)
    assert 0 < kept.height < EVENTS.height
    expected = ANALYSES[picture](kept, None, users.with_columns(pl.col("device").cast(pl.String)))
    assert same(panel.frame, expected) and panel.chart.figure is figure
    assert f"{kept.height:,} events of {kept['user_id'].n_unique():,} users" in panel._status.value


def test_the_chart_holds_the_numbers_of_the_frame() -> None:
    panel = panel_of("Funnel")
    bar = panel.chart.figure.data[0]
    assert list(bar.y) == panel.frame["users"].to_list()
    assert list(bar.x) == [f"{number}. {name}" for number, name in enumerate(STEPS, 1)]
    panel.control("Picture").value = "Hour and weekday"
    cells = np.asarray(panel.chart.figure.data[0].z)
    assert cells.shape == (7, 24) and cells.sum() == EVENTS.height
    panel.control("Picture").value = "Paths"
    assert list(panel.chart.figure.data[0].link.value) == panel.frame["count"].to_list()
    panel.control("Picture").value = "Events over time"
    panel.control("Break down by").value = "device"
    assert [line.name for line in panel.chart.figure.data] == panel.frame["device"].unique(
        maintain_order=True
    ).to_list()


def test_controls_of_each_picture_change_it() -> None:
    panel = panel_of("Funnel")
    panel.control("Steps").value = "landed, order_completed"
    assert same(panel.frame, sd.funnel(EVENTS, ["landed", "order_completed"]))
    panel.control("Within").value = "5m"
    assert same(panel.frame, sd.funnel(EVENTS, ["landed", "order_completed"], within="5m"))
    panel.control("Picture").value = "Paths"
    panel.control("Moves").value = 2
    panel.control("Names").value = 3
    panel.control("Start from").value = "product_viewed"
    assert same(panel.frame, sd.paths(EVENTS, steps=2, top=3, start="product_viewed"))
    panel.control("Picture").value = "Events over time"
    panel.control("Every").value = "1w"
    assert same(panel.frame, sd.activity(EVENTS, every="1w"))


def test_next_user_shows_one_after_the_other() -> None:
    panel = sd.explore(EVENTS, USERS, picture="One user")
    active = EVENTS["user_id"].unique(maintain_order=True)
    for user in [*active[:3], None]:
        assert user is None or panel.control("User").value == user
        assert same(panel.frame, sd.user_timeline(EVENTS, panel.control("User").value))
        panel.control("Next user").click()
    panel.control("User").value = "nobody"
    assert "NOT_IN_EVENTS" in panel.message and "nobody" in panel._status.value
    panel.control("Next user").click()
    assert panel.message == "" and panel.control("User").value == active[0]


def test_what_cannot_be_drawn_is_said_and_the_picture_stays() -> None:
    panel = panel_of("Funnel")
    before = panel.frame
    panel.control("Steps").value = "landed, product_view"
    assert "Did you mean 'product_viewed'?" in panel.message and 'role="alert"' in panel._status.value
    assert panel.frame is before
    panel.control("Steps").value = "landed, product_viewed"
    assert panel.message == "" and panel.frame.height == 2
    panel.control("Within").value = "5"
    assert "INVALID_DURATION" in panel.message


def test_bins_of_durations_are_named_apart() -> None:
    panel = panel_of("Session length")
    bar = panel.chart.figure.data[0]
    assert len(set(bar.x)) == len(bar.x) == panel.frame.height and bar.x[0] == "0 s"
    assert list(bar.y) == panel.frame["count"].to_list()
    close = pl.DataFrame({"user_id": [1, 2] * 2, "event": "x", "timestamp": [0, 0, 5_000_000_000, 5_000_000_123]})
    near = sd.explore(
        close.with_columns(pl.from_epoch("timestamp", time_unit="us"), session_id=pl.col("user_id")),
        picture="Time between events",
    )
    assert len(set(near.chart.figure.data[0].x)) == near.frame.height == 24


def test_names_with_commas_stand_in_quotes() -> None:
    events = EVENTS.with_columns(pl.col("event").cast(pl.String).replace("landed", 'landed, "really"'))
    panel = sd.explore(events, steps=['landed, "really"', "product_viewed"])
    assert panel.frame["event"].to_list() == ['landed, "really"', "product_viewed"]


def test_controls_that_do_not_matter_are_hidden() -> None:
    panel = panel_of("Funnel")
    visible = {name for name in panel._controls if panel.control(name).layout.display != "none"}
    assert {"Picture", "Steps", "Within", "Break down by", "Events", "From", "To", "Journey", "Where", "Is"} <= visible
    assert not {"Moves", "User", "Every"} & visible


def test_every_control_has_a_label() -> None:
    panel = panel_of("Funnel")
    for name, control in panel._controls.items():
        assert control.description == name and isinstance(control, widgets.Widget)


def test_steps_are_by_default_those_that_come_in_their_usual_order() -> None:
    panel = sd.explore(EVENTS.sort("timestamp"))
    assert panel.frame["event"].to_list() == list(shop.FUNNEL)


def test_numbers_of_static_pages_terminals_and_the_table() -> None:
    panel = panel_of("Funnel")
    bundle = panel._repr_mimebundle_()
    assert "<td>product_viewed</td>" in bundle["text/html"] and "product_viewed" in bundle["text/plain"]
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert panel._table.value == ""
    panel.control("Show the numbers").value = True
    assert "<td>product_viewed</td>" in panel._table.value and panel._table.layout.display is None


def test_the_panel_saves_its_picture(tmp_path) -> None:
    path = panel_of("Paths").save(tmp_path / "paths.html")
    assert "Paths through sessions" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("picture", PICTURES)
def test_no_events_are_no_fault(picture: str) -> None:
    if picture == "Users by attribute":
        panel = sd.explore(EVENTS.clear(), USERS, picture=picture)
        assert panel.frame["active"].sum() == 0 and panel.frame["users"].sum() == 400
    else:
        panel = sd.explore(EVENTS.clear(), steps=STEPS, picture=picture)
        assert panel.message == "" and len(panel.chart.figure.data) == 1
    panel.control("Next user").click()


def test_loaded_events_without_sessions_journeys_or_users(tmp_path) -> None:
    bare = EVENTS.select("user_id", "event", "timestamp", "referrer")
    bare.write_csv(tmp_path / "bare.csv")
    panel = sd.explore(pl.scan_csv(tmp_path / "bare.csv"), picture="Session length")
    expected = sd.distribution(sd.sessions(bare, gap="30m"), "duration", bins=24, scale="log")
    assert same(panel.frame, expected)
    panel.control("Picture").value = "Users by attribute"
    referrers = sd.breakdown(bare, "referrer")
    assert same(panel.frame.cast({"referrer": pl.String}), referrers)
    panel.control("Picture").value = "One user"
    assert panel.message == ""


def test_attributes_with_many_values_come_in_few() -> None:
    panel = sd.explore(EVENTS, USERS)
    shown = panel.users
    assert set(shown.columns) == {"user_id", "locale", "device", "is_member", "age"}
    ages = shown.join(USERS.select("user_id", pl.col("age").alias("number")), on="user_id").sort("number")
    assert ages["age"].n_unique() == 5 and ages["age"].rle().len() == 5
    sizes = ages["age"].value_counts()["count"]
    assert sizes.min() > 400 / 5 / 2
    many = pl.DataFrame({"user_id": USERS["user_id"], "n": [f"v{n % 20}" for n in range(400)]})
    assert sd.explore(EVENTS, many).users["n"].value_counts(sort=True).row(0) == ("(other)", 300)


def test_sessions_that_overlap_stay_themselves() -> None:
    times = [datetime(2026, 1, 1) + timedelta(minutes=n) for n in range(4)]
    rows = {"user_id": ["a"] * 4, "session_id": ["1", "2", "1", "2"], "event": ["x", "y"] * 2, "timestamp": times}
    log = EventLog(pl.DataFrame(rows), None)
    assert log.rows["session_id"].to_list() == [1, 2, 1, 2]
    assert same(sd.paths(log.filtered(Filters())), sd.paths(pl.DataFrame(rows)))


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: sd.explore([1]), "INVALID_FRAME"),
        (lambda: sd.explore(EVENTS, picture="funnels"), "INVALID_OPTION"),
        (lambda: sd.explore(EVENTS, steps=["landing"]), "NOT_IN_EVENTS"),
        (lambda: sd.explore(EVENTS.drop("user_id")), "COLUMN_NOT_FOUND"),
        (lambda: sd.explore(EVENTS, pl.DataFrame({"age": [1]})), "INVALID_FRAME"),
        (lambda: sd.explore(EVENTS).control("Pictures"), "INVALID_OPTION"),
        (
            lambda: sd.explore(EVENTS.select("user_id", "event", "timestamp"), picture="Users by attribute"),
            "INVALID_OPTION",
        ),
    ],
)
def test_wrong_input_is_explained(make: Callable[[], object], code: str) -> None:
    with pytest.raises(sd.SynodeError) as caught:
        make()
    assert caught.value.code == code and caught.value.suggestion
