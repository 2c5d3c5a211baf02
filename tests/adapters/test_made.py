"""Adapters made on the spot are what PEFT writes and what a base takes."""

import pytest

from multilora.adapters.check import check_adapter
from multilora.adapters.file import adapter_file_bytes
from multilora.adapters.made import make_adapter
from multilora.models.shapes import ModelShape
from multilora.models.shipped import model_shape
from small_bases import BASES

SMALL = ("llama", "qwen2", "gemma3", "qwen3_moe", "gpt_oss")


@pytest.mark.parametrize("base", SMALL)
def test_a_made_adapter_passes_the_check(tmp_path, base):
    shape = ModelShape.from_config(BASES[base])
    folder = make_adapter(tmp_path / "it", shape, 4)
    facts = check_adapter(folder, shape, 16)
    assert (facts.rank, facts.scaling, facts.share_applied) == (4, 2, 1)
    assert facts.misspelt == ()
    assert facts.notes == ()


def test_its_file_has_the_predicted_bytes_and_is_the_same_again(tmp_path):
    shape = model_shape("Llama-3.2-1B")
    files = [
        (make_adapter(tmp_path / name, shape, 2, ["q_proj"]))
        / "adapter_model.safetensors"
        for name in "ab"
    ]
    one, other = (path.read_bytes() for path in files)
    assert one == other
    assert len(one) == adapter_file_bytes(shape, 2, ["q_proj"], "F32")


def test_fields_of_the_config_can_be_replaced(tmp_path):
    shape = ModelShape.from_config(BASES["llama"])
    folder = make_adapter(
        tmp_path / "it", shape, 4, ["q_proj"],
        config={"target_modules": ["q_proj", "v_porj"]},
    )  # fmt: skip
    assert check_adapter(folder, shape, 16).misspelt == ("v_porj",)


def test_a_folder_that_exists_is_left_alone(tmp_path):
    shape = ModelShape.from_config(BASES["llama"])
    with pytest.raises(ValueError, match="it exists already"):
        make_adapter(tmp_path, shape)
    with pytest.raises(ValueError, match="rank"):
        make_adapter(tmp_path / "new", shape, 0)
    assert list(tmp_path.iterdir()) == []
