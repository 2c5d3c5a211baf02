"""A model by what somebody calls it: folder, id, cache, short name."""

import json

import pytest

from multilora import tenants
from multilora.models.named import shape_named
from multilora.models.shipped import model_names, model_shape
from multilora.published import published


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Hugging Face's cache, empty; not this machine's."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


@pytest.mark.parametrize("name", model_names())
def test_a_short_name_and_the_id_of_its_source_are_the_model(name):
    (row,) = (row for row in published("models") if row["name"] == name)
    source = row["source"].split("huggingface.co/")[-1]
    for asked in (name, source):
        shape, said = shape_named(asked)
        assert shape == model_shape(name)
        assert "stands for" not in said


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("meta-llama/Llama-3.1-8B-Instruct", "Llama-3.1-8B"),
        ("meta-llama/Meta-Llama-3.1-70B", "Llama-3.1-70B"),
        ("mistralai/Mixtral-8x7B-Instruct-v0.1", "Mixtral-8x7B"),
        ("google/gemma-2-9b-it", "Gemma-2-9B"),
    ],
)
def test_an_instruct_model_is_its_base_and_that_is_said(asked, name):
    shape, said = shape_named(asked)
    assert shape == model_shape(name)
    assert f"{name}, which comes along, stands for {asked}" in said


@pytest.mark.parametrize(
    "asked",
    [
        "Qwen/Qwen3-8B-AWQ", "Qwen/Qwen3-30B-A3B-Instruct-2507",
        "mistralai/Mistral-7B-v0.3", "who/knows", "/no/such/folder",
        "../x", "a" * 5000, "a\0b",
    ],
)  # fmt: skip
def test_a_model_of_another_shape_or_none_asks_for_its_config(asked):
    with pytest.raises(ValueError, match=r"model is .*give --config-json"):
        shape_named(asked)


@pytest.mark.parametrize("asked", ["$MODEL", "${MODEL}", "<model>"])
def test_a_placeholder_is_said_to_be_one(asked):
    with pytest.raises(ValueError, match="put the model's name"):
        shape_named(asked)


def test_a_folder_and_a_given_config_are_read(tmp_path):
    base = tenants.folder_of("base")
    assert shape_named(str(base))[0].vocab_size == 192
    shape, said = shape_named("who/knows", base / "config.json")
    assert shape.vocab_size == 192
    assert shape.name == "who/knows"
    assert "config.json" in said
    with pytest.raises(ValueError, match=r"config_json is .*no such file"):
        shape_named("who/knows", tmp_path / "none.json")


def test_the_newest_snapshot_in_the_cache_goes_before_what_comes_along(cache):
    folder = cache / "models--Qwen--Qwen3-8B/snapshots/abc"
    folder.mkdir(parents=True)
    config = model_shape("Qwen3-8B").config | {"num_hidden_layers": 3}
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    shape, said = shape_named("Qwen/Qwen3-8B")
    assert shape.num_layers == 3
    assert "Hugging Face's cache" in said
