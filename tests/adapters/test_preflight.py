"""Many adapters checked at once: none keeps another from its check."""

import os
import shutil

import pytest

from multilora import tenants
from multilora.adapters.check import AdapterError, check_adapter
from multilora.adapters.checkpoints import base_fingerprint
from multilora.adapters.foreign import WEIGHTS
from multilora.adapters.misfits import MISFITS, make_misfit
from multilora.adapters.preflight import preflight
from multilora.models.shapes import ModelShape

BASE = ModelShape.from_config(tenants.folder_of("base"))
TENANTS = [tenants.folder_of(name) for name in tenants.tenant_names()]
SQL = tenants.folder_of("sql")


def test_the_tenants_pass_with_the_rank_that_they_need():
    found = preflight(TENANTS, BASE)
    assert found.max_lora_rank == 16
    assert found.num_served == len(TENANTS)
    assert found.told() == f"{len(TENANTS)} of {len(TENANTS)} can be served"
    for one in found.adapters:
        facts = check_adapter(one.folder, BASE, 16)
        assert (one.rank, one.alpha, one.scaling) == (
            facts.rank, facts.alpha, facts.scaling,
        )  # fmt: skip
        assert one.targets == facts.target_modules
        assert (one.share_applied, one.num_bytes) == (1, facts.num_bytes)
        assert one.are_weights_read and one.verdict == "served"


def test_each_misfit_is_refused_beside_the_good_ones(tmp_path):
    for number, kind in enumerate(MISFITS):
        make_misfit(kind, SQL, tmp_path / f"bad-{number:02}")
    shutil.copytree(SQL, tmp_path / "good")
    found = preflight([tmp_path], BASE, 16)
    assert [one.verdict for one in found.adapters] == [
        *["refused"] * len(MISFITS), "served",
    ]  # fmt: skip
    for one in found.adapters[:-1]:
        with pytest.raises(AdapterError) as error:
            check_adapter(one.folder, BASE, 16)
        assert one.why == " ".join(str(error.value).split())
        assert one.rank is None and one.share_applied is None


def test_what_is_no_adapter_is_refused_and_the_others_are_checked(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x", "utf-8")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    names = ("empty", "file", "loop", "none")
    found = preflight([*(tmp_path / name for name in names), SQL, SQL], BASE)
    assert found.told() == "1 of 5 can be served; 4 refused"
    assert {one.name for one in found.adapters[:4]} == set(names)


def test_a_pipe_in_place_of_a_file_does_not_hang(tmp_path):
    for name in ("adapter_config.json", WEIGHTS, "base_sha256.txt"):
        folder = shutil.copytree(SQL, tmp_path / f"with-{name}")
        (folder / name).unlink(missing_ok=True)
        os.mkfifo(folder / name)
    found = preflight([tmp_path], BASE)
    assert [one.verdict for one in found.adapters] == [
        "refused", "refused", "served",
    ]  # fmt: skip


def test_one_of_hundreds_is_told_first_and_progress_is_told(tmp_path):
    for number in range(300):
        folder = tmp_path / f"a{number:03}"
        folder.mkdir()
        for file in SQL.iterdir():
            (folder / file.name).symlink_to(file)
    (tmp_path / "a150" / WEIGHTS).unlink()
    told = []
    found = preflight(
        [tmp_path], BASE, headers_only=True,
        tell=lambda done, total: told.append((done, total)),
    )  # fmt: skip
    assert found.told() == "299 of 300 can be served; 1 refused"
    assert found.adapters[0].name == "a150"
    assert told == [(number, 300) for number in range(300)]


def test_a_header_alone_is_seen_without_being_told(tmp_path):
    folder = shutil.copytree(SQL, tmp_path / "a")
    content = (folder / WEIGHTS).read_bytes()
    length = 8 + int.from_bytes(content[:8], "little")
    (folder / WEIGHTS).write_bytes(content[:length])
    (one,) = preflight([folder], BASE).adapters
    assert (one.verdict, one.are_weights_read) == ("served", False)
    assert "only the header" in one.notes[-1]


def test_the_base_and_the_rank_are_held_to():
    wanted = base_fingerprint(tenants.folder_of("base"))
    assert preflight([SQL], BASE, base_sha256=wanted).num_served == 1
    (one,) = preflight([SQL], BASE, base_sha256="0" * 64).adapters
    assert "was trained on base" in one.why
    (one,) = preflight([tenants.folder_of("json")], BASE, 8).adapters
    assert "rank 16, above max_lora_rank = 8" in one.why


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"max_lora_rank": 24}, "max_lora_rank is 24"),
        ({"base_sha256": "x"}, "base_sha256 is 'x'"),
        ({"vllm_version": "1"}, "vllm_version is '1'"),
    ],
)
def test_wrong_options_are_wrong_before_any_adapter_is_read(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        preflight([SQL], BASE, **options)
    with pytest.raises(ValueError, match="paths is empty"):
        preflight([], BASE)
