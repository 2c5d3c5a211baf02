"""Frames on disk: drawn once, drawn again where lost, published."""

from functools import partial

import pytest

from multilora.book.frames import FrameStore, name_of
from multilora.explore.explorer import Explorer
from twins import draw_twins


def test_equal_frames_are_one_file_and_are_drawn_once(tmp_path, twins):
    store = FrameStore(tmp_path)
    found = store.frames_of(twins)
    assert [said for _, said in found][:2] == [
        "</script><b>1</b> & 1",
        "</script><b>1</b> & 2",
    ]
    assert len({name for name, _ in found}) == 2
    assert len(list(tmp_path.glob("*.svg"))) == 2
    assert store.num_drawn == 6
    again = FrameStore(tmp_path)
    assert again.frames_of(twins) == found and again.num_drawn == 0


def test_a_lost_or_broken_store_is_drawn_again(tmp_path, twins):
    store = FrameStore(tmp_path)
    found = store.frames_of(twins)
    (listing,) = tmp_path.glob("*.json")
    picture = tmp_path / found[0][0]
    for number, harm in enumerate(
        (picture.unlink, partial(picture.write_bytes, b""),
         partial(listing.write_text, "[["), partial(listing.write_text, "{}")),
        start=2,
    ):  # fmt: skip
        harm()
        assert store.frames_of(twins) == found
        assert store.num_drawn == 6 * number


def test_too_many_frames_are_refused_before_any_is_drawn(tmp_path):
    many = Explorer.of(draw_twins, {"one": range(1, 102), "two": range(20)})
    with pytest.raises(ValueError, match="2,020 combinations"):
        FrameStore(tmp_path).frames_of(many)


def test_a_published_folder_holds_these_pictures_only(tmp_path, twins):
    store = FrameStore(tmp_path / "store")
    names = [name for name, _ in store.frames_of(twins)]
    site = tmp_path / "site"
    site.mkdir()
    (site / "old.svg").write_text("old")
    (site / names[0]).write_text("cut short")
    store.publish(names, site)
    assert {file.name for file in site.iterdir()} == set(names)
    for file in site.iterdir():
        assert name_of(file.read_bytes()) == file.name
