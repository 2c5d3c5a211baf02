"""Adapters found below a path, and the ranks that they need."""

import json
import shutil

import pytest

from multilora import tenants
from multilora.adapters.check import AdapterError
from multilora.adapters.folders import adapter_folders, rank_in, ranks_in
from multilora.adapters.misfits import MISFITS, make_misfit

SQL, JSON = tenants.folder_of("sql"), tenants.folder_of("json")


def test_an_adapters_folder_is_itself_and_one_above_is_those_in_it(tmp_path):
    assert adapter_folders(SQL) == [SQL]
    for name in ("b", "a", ".hidden"):
        shutil.copytree(SQL, tmp_path / name)
    (tmp_path / "notes").mkdir()
    (tmp_path / "file.txt").write_text("x", "utf-8")
    shutil.copytree(SQL, tmp_path / "deep/er/still")
    assert adapter_folders(str(tmp_path)) == [tmp_path / "a", tmp_path / "b"]


@pytest.mark.parametrize("kind", MISFITS)
def test_a_broken_adapter_is_among_them(kind, tmp_path):
    folder = make_misfit(kind, SQL, tmp_path / "all/it")
    assert adapter_folders(tmp_path / "all") == [folder]


def test_links_in_a_circle_end(tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "up").symlink_to(tmp_path)
    shutil.copytree(SQL, tmp_path / "a")
    assert adapter_folders(tmp_path) == [tmp_path / "a"]
    with pytest.raises(AdapterError, match=r"path is .*which is not there"):
        adapter_folders(tmp_path / "loop")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("file", "which is a file"),
        ("empty", "which holds no adapter"),
        ("none", "which is not there"),
        ("n" * 5000, "which cannot be read"),
        ("a\0b", "which is not there|which cannot be read"),
    ],
)
def test_what_holds_none_is_one_sentence(name, sentence, tmp_path):
    (tmp_path / "file").write_text("x", "utf-8")
    (tmp_path / "empty").mkdir()
    with pytest.raises(AdapterError, match=sentence):
        adapter_folders(tmp_path / name)


def test_a_rank_is_the_largest_that_the_config_says(tmp_path):
    assert (rank_in(SQL), rank_in(JSON)) == (8, 16)
    folder = shutil.copytree(SQL, tmp_path / "a")
    file = folder / "adapter_config.json"
    config = json.loads(file.read_text("utf-8"))
    config["rank_pattern"] = {"q_proj": 48}
    file.write_text(json.dumps(config), "utf-8")
    assert rank_in(folder) == 48
    config["r"] = "x"
    file.write_text(json.dumps(config), "utf-8")
    with pytest.raises(AdapterError, match="not a rank"):
        rank_in(folder)
    assert ranks_in([SQL, folder, JSON]) == {SQL: 8, JSON: 16}
    with pytest.raises(TypeError, match="folders holds 3"):
        ranks_in([3])
