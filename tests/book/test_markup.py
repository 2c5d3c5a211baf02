"""The markup of an explorer's figure, and a page without its icons."""

import html
import json
import re

from multilora.book.frames import FrameStore
from multilora.book.markup import figure
from multilora.book.theme import without_unused_scripts
from multilora.explore.explorer import Explorer
from twins import draw_twins


def test_a_sentence_cannot_break_out_of_the_page(twins, tmp_path):
    found = FrameStore(tmp_path).frames_of(twins)
    page = figure(twins, found, "../_frames")
    assert "<b>" not in page and page.count("</script>") == 1
    table = json.loads(re.search(r"json\">(.*)</script>", page, re.DOTALL)[1])
    assert table["frames"] == found
    longest = max((said for _, said in found), key=len)
    room = f'class="room" aria-hidden="true">{html.escape(longest)}<'
    assert room in page
    assert table["values"] == [["1", "2"], ["1", "2", "3"]]


def test_a_stops_text_cannot_break_out_either(tmp_path):
    stops = ["<i>", '"', "a & b"]
    quoted = Explorer.of(draw_twins, {"one": [1], "two": stops})
    found = FrameStore(tmp_path).frames_of(quoted)
    for start in stops:
        at = Explorer.of(draw_twins, quoted.axes, {"two": start})
        page = figure(at, found, "")
        assert "<i>" not in page
        assert f'valuetext="{html.escape(start)}"' in page


def test_scripts_that_no_page_uses_go_and_no_others():
    kept = '<script defer src="a/bootstrap.js"></script>'
    icons = '<script defer src="a/fontawesome.js?digest=1"></script>'
    index = '<script src="../searchindex.js"></script>'
    assert without_unused_scripts(icons + kept + index) == kept
