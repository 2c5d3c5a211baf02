"""A link to an explorer opens at its stops, and a move makes one."""

import pytest

from multilora.explore.player import Player
from page_figures import FRONT, MEMORY, sentence_of, wait_for

pytestmark = pytest.mark.browser


def test_a_link_opens_at_its_stops_and_a_move_makes_one(open_page):
    wanted = MEMORY.start | {
        "model": "Qwen3-8B", "max_lora_rank": 64, "max_loras": 32,
    }  # fmt: skip
    link = "#explore-memory?max_lora_rank=64&max_loras=32&model=Qwen3-8B"
    page = open_page(FRONT, fragment=link)
    figure = page.locator("#explore-memory")
    player = Player(MEMORY.draw)
    wait_for(page, figure, player.frame(wanted)[1])
    assert figure.evaluate("f => f.getBoundingClientRect().top < innerHeight")
    figure.locator("input").nth(1).focus()
    page.keyboard.press("Home")
    page.wait_for_timeout(50)
    again = open_page(FRONT, fragment="#" + page.url.split("#")[1])
    moved = player.frame(wanted | {"max_lora_rank": 8})[1]
    wait_for(again, again.locator("#explore-memory"), moved)
    assert again.problems == []


def test_a_new_link_on_an_open_page_moves_its_sliders(open_page):
    page = open_page(FRONT)
    figure = page.locator("#explore-memory")
    # Some chat programs encode what stands behind the hash.
    for end in ("?max_loras=32", "%3Fmax_loras%3D1%26max_lora_rank%3D8"):
        page.evaluate(f"location.hash = 'explore-memory{end}'")
        page.wait_for_timeout(100)
    said = Player(MEMORY.draw).frame(
        MEMORY.start | {"max_loras": 1, "max_lora_rank": 8}
    )[1]
    wait_for(page, figure, said)


def test_the_link_in_how_to_read_opens_at_its_stops(open_page):
    page = open_page("book/how-to-read")
    page.get_by_role("link", name="this link").click()
    wanted = MEMORY.start | {
        "model": "Qwen3-8B", "max_lora_rank": 64, "max_loras": 32,
    }  # fmt: skip
    said = Player(MEMORY.draw).frame(wanted)[1]
    wait_for(page, page.locator("#explore-memory"), said)


@pytest.mark.parametrize(
    "fragment",
    ["#explore-memory?max_loras=7&tenants=x&%E0", "#explore-none?rank=8",
     "#explore-memory?", "#?", "#explore-memory"],
)  # fmt: skip
def test_a_link_that_names_no_stop_opens_the_start(open_page, fragment):
    page = open_page(FRONT, fragment=fragment)
    page.wait_for_timeout(100)
    start = Player(MEMORY.draw).frame(MEMORY.start)[1]
    assert sentence_of(page.locator("#explore-memory")) == start
    assert page.problems == []
