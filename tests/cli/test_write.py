"""A plan in a folder: all of it, whole, and nobody else's files lost."""

import json
import os
import stat

import pytest

import made_plans
from multilora.cli.write import write_answer
from multilora.plan.answer import Plan


def held(folder):
    return sorted(item.name for item in folder.iterdir())


@pytest.mark.parametrize("name", made_plans.EVERY)
def test_all_files_are_written(name, tmp_path):
    plan = made_plans.EVERY[name]()
    written = write_answer(plan, tmp_path / "new" / "plan")
    folder = tmp_path / "new" / "plan"
    assert sorted(path.name for path in written) == held(folder)
    assert "report.html" in held(folder)
    text = (folder / "plan.json").read_text("utf-8")
    assert Plan.model_validate_json(text) == plan
    mode = stat.S_IMODE((folder / "engine-1.sh").stat().st_mode)
    assert mode & 0o100
    assert not stat.S_IMODE((folder / "plan.json").stat().st_mode) & 0o111


def test_an_earlier_plan_is_replaced_and_own_files_stay(tmp_path):
    write_answer(made_plans.three_engines(), tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "engine-mine.sh").write_text("mine")
    written = write_answer(made_plans.one_engine(), str(tmp_path))
    names = {path.name for path in written}
    assert set(held(tmp_path)) == names | {"notes.txt", "engine-mine.sh"}
    assert "engine-3.sh" not in names
    assert json.loads((tmp_path / "plan.json").read_text())["card_gib"] == 24


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("thesis.tex", b"years of work"),
        ("plan.json", b"{}"),
        ("plan.json", b'{"format": "multilora"}'),
        ("plan.json", b"[" * 100_000),
        ("plan.json", b"\xff\xfe\x00"),
        (".hidden", b""),
    ],
)
def test_a_folder_of_others_is_refused(name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=r"folder is .* earlier plan's"):
        write_answer(made_plans.one_engine(), tmp_path)
    assert held(tmp_path) == [name]
    assert (tmp_path / name).read_bytes() == content


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "plan").write_text("mine")
    for place in (tmp_path / "plan", tmp_path / "plan" / "below"):
        with pytest.raises(ValueError, match="cannot be written"):
            write_answer(made_plans.one_engine(), place)
    assert (tmp_path / "plan").read_text() == "mine"


@pytest.mark.parametrize("folder", ["a\0b", "x" * 300])
def test_what_is_no_name_of_a_folder_is_refused(folder, tmp_path):
    with pytest.raises(ValueError, match="folder is"):
        write_answer(made_plans.one_engine(), f"{tmp_path}/{folder}")


def test_a_failure_leaves_each_file_whole(tmp_path, monkeypatch):
    """A disk that fills up after the third file of the second plan."""
    write_answer(made_plans.one_engine(), tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    replace, calls = os.replace, []

    def full_disk(*names):
        calls.append(names)
        if len(calls) > 3:
            raise OSError(28, "No space left on device")
        replace(*names)

    monkeypatch.setattr(os, "replace", full_disk)
    with pytest.raises(ValueError, match="No space left on device"):
        write_answer(made_plans.too_slow(), tmp_path)
    assert held(tmp_path) == sorted(before)
    monkeypatch.undo()
    files = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert sum(files[name] != before[name] for name in before) == 3
    write_answer(made_plans.too_slow(), tmp_path)


def test_a_link_is_replaced_not_followed(tmp_path):
    folder, other = tmp_path / "plan", tmp_path / "other.sh"
    write_answer(made_plans.one_engine(), folder)
    other.write_text("mine")
    (folder / "engine-1.sh").unlink()
    (folder / "engine-1.sh").symlink_to(other)
    write_answer(made_plans.one_engine(), folder)
    assert other.read_text() == "mine"
    assert not (folder / "engine-1.sh").is_symlink()


def test_a_plan_that_no_line_can_say_writes_nothing(tmp_path):
    plan = made_plans.plan([made_plans.engine([])], model="--help")
    with pytest.raises(ValueError, match="model is '--help'"):
        write_answer(plan, tmp_path / "new")
    assert held(tmp_path) == []
