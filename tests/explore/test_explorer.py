"""Explorers as data: written, read back, refused, drawn ahead."""

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multilora.book.markup import place
from multilora.explore import ahead
from multilora.explore.ahead import IDLE_S, QUICK_S, Ahead, neighbours
from multilora.explore.explorer import Explorer
from multilora.explore.player import MAX_FRAMES_KEPT, Player, frames
from multilora.explore.stops import label
from multilora.figures import lab03
from multilora.figures.style import panels
from multilora.units import value_text

STOPS = st.lists(
    st.integers(-9, 9) | st.floats(0, 1) | st.text("a1 <&", min_size=1),
    min_size=1,
    max_size=4,
    unique_by=lambda stop: value_text("one", stop),
).filter(lambda stops: all(str(stop).strip() for stop in stops))


def draw_anything(fig, one=0, two=0, three=0):
    panels(fig, {"xlim": (0, 1)})
    return f"{one}, {two}, {three}."


def savings(tenants=(10, 50, 100), max_loras=(1, 8)):
    axes = {"tenants": tenants, "max_loras": max_loras}
    return Explorer.of(lab03.draw_savings, axes)


@given(axes=st.dictionaries(st.sampled_from(["one", "two", "three"]), STOPS))
def test_an_explorer_survives_json_and_counts_its_frames(axes):
    explorer = Explorer.of(draw_anything, axes)
    assert Explorer.from_json(explorer.to_json()) == explorer
    combinations = explorer.combinations()
    places = [place(explorer, stops) for stops in combinations]
    assert places == list(range(len(combinations)))
    assert combinations[place(explorer, explorer.start)] == explorer.start


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "text is ''"),
        ("[]", "text is '\\[\\]'"),
        ('{"draw": "multilora.none:draw", "axes": {}, "start": {}}', "none"),
        ('{"draw": "multilora.units:draw", "axes": {}, "start": {}}', "draw"),
        ('{"draw": "units", "axes": {}, "start": {}}', "text is"),
        ('{"draw": "multilora.figures.lab03:draw_startups", "axes": '
         '{"rank": [1]}, "start": {}}', "rank"),
    ],
)  # fmt: skip
def test_what_is_no_explorer_is_refused(text, named):
    with pytest.raises(ValueError, match=named):
        Explorer.from_json(text)


@pytest.mark.parametrize("stop", [float("nan"), float("inf")])
def test_a_stop_must_be_finite(stop):
    with pytest.raises(ValueError, match="one holds"):
        Explorer.of(draw_anything, {"one": [1, stop]})


def test_a_value_says_its_unit():
    assert label("max_loras") == "max_loras"
    assert label("num_adapters") == "adapters"
    assert label("my_axis") == "my axis"
    assert value_text("max_loras", 1) == "1 slot"
    assert value_text("tenants", 1000) == "1,000 tenants"
    assert value_text("rank", 64) == "64"
    assert value_text("spread_hours", 1) == "1 h"


def test_a_player_keeps_the_latest_frames():
    explorer = Explorer.of(draw_anything, {"one": range(MAX_FRAMES_KEPT + 9)})
    player = Player(draw_anything)
    for stops in explorer.combinations():
        player.frame(stops)
    assert len(player.kept) == MAX_FRAMES_KEPT
    assert (("one", 0),) not in player.kept


def test_frames_come_in_the_order_of_the_combinations():
    explorer = savings()
    assert [stops for stops, _, _ in frames(explorer)] == (
        explorer.combinations()
    )


def test_the_frame_further_on_is_the_likeliest():
    explorer = savings()
    here = {"tenants": 50, "max_loras": 1}
    down = neighbours(explorer, here, "tenants", previous=100)
    assert down == [
        {"tenants": 10, "max_loras": 1},
        {"tenants": 100, "max_loras": 1},
        {"tenants": 50, "max_loras": 8},
    ]
    up = neighbours(explorer, here, "tenants", previous=10)
    assert up[0] == {"tenants": 100, "max_loras": 1}
    end = {"tenants": 100, "max_loras": 8}
    assert neighbours(explorer, end, "tenants", 50) == [
        {"tenants": 50, "max_loras": 8},
        {"tenants": 100, "max_loras": 1},
    ]


async def until(is_done):
    """Let others run until is_done(), 30 s at most."""
    end = time.monotonic() + 30
    while not is_done() and time.monotonic() < end:
        await asyncio.sleep(IDLE_S)


def test_frames_are_drawn_ahead_while_nobody_asks(monkeypatch):
    monkeypatch.setattr(ahead, "QUICK_S", 60)

    async def wait():
        player = Player(draw_anything)
        drawer = Ahead(player)
        drawer.expect([{"one": 1}, {"one": 2}])
        drawer.expect([{"one": 3}, {"one": 4}])
        assert not player.kept
        await until(lambda: len(player.kept) == 2)
        return [dict(key)["one"] for key in player.kept]

    assert asyncio.run(wait()) == [3, 4]


def test_a_frame_that_fails_ahead_fails_when_it_is_asked_for():
    def draw(fig, one):
        raise ValueError("one is 1")

    async def wait():
        player = Player(draw)
        drawer = Ahead(player)
        drawer.expect([{"one": 1}])
        await until(lambda: not drawer.waiting)
        return player

    player = asyncio.run(wait())
    with pytest.raises(ValueError, match="one is 1"):
        player.frame({"one": 1})


def test_a_slow_drawing_is_not_begun_while_nobody_asks():
    def draw(fig, one):
        time.sleep(QUICK_S + 0.05)
        return draw_anything(fig, one)

    async def wait():
        player = Player(draw)
        player.frame({"one": 1})
        Ahead(player).expect([{"one": 2}])
        await asyncio.sleep(IDLE_S + 0.3)
        return len(player.kept)

    assert asyncio.run(wait()) == 1


def test_a_key_is_heard_between_two_frames(monkeypatch):
    """A kernel needs several turns of its loop for one message."""
    monkeypatch.setattr(ahead, "QUICK_S", 60)  # a busy machine draws slowly
    order = []

    async def hear():
        for _ in range(10):
            await asyncio.sleep(0)
        order.append("key")

    def draw(fig, one):
        order.append(one)
        if one == 1:
            asyncio.get_running_loop().create_task(hear())
        return draw_anything(fig, one)

    async def wait():
        Ahead(Player(draw)).expect([{"one": 1}, {"one": 2}])
        await until(lambda: len(order) == 3)

    asyncio.run(wait())
    assert order == [1, "key", 2]


def test_without_an_event_loop_nothing_is_drawn_ahead():
    player = Player(draw_anything)
    Ahead(player).expect([{"one": 1}])
    assert not player.kept
