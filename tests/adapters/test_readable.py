"""What can be said of an adapter before its base is known."""

import pytest

from multilora.adapters.check import check_adapter
from multilora.adapters.foreign import AdapterError
from multilora.adapters.made import make_adapter
from multilora.adapters.misfits import MISFITS, make_misfit
from multilora.adapters.preflight import needed_rank
from multilora.adapters.readable import readable
from multilora.models.shapes import ModelShape
from multilora.models.shipped import model_shape
from multilora.tenants import folder_of

BASE = ModelShape.from_config(folder_of("base"))


def test_rank_and_bytes_are_those_of_the_whole_check():
    found = readable(folder_of("sql"))
    facts = check_adapter(folder_of("sql"), BASE, 64)
    assert found.ranks.rank == facts.rank
    assert found.num_bytes == facts.num_bytes
    assert found.config["lora_alpha"] == facts.alpha


def test_an_adapter_of_another_base_is_readable_all_the_same(tmp_path):
    folder = make_adapter(tmp_path / "a", model_shape("Llama-3.2-1B"), 8)
    assert readable(folder, headers_only=True).ranks.largest == 8
    with pytest.raises(AdapterError):
        check_adapter(folder, BASE, 8)


@pytest.mark.parametrize("kind", MISFITS)
def test_what_it_refuses_the_check_refuses_alike(kind, tmp_path):
    folder = tmp_path / "bad"
    make_misfit(kind, folder_of("sql"), folder)
    with pytest.raises(AdapterError) as whole:
        check_adapter(folder, BASE, 16)
    try:
        readable(folder, 16)
    except AdapterError as error:
        assert str(error) == str(whole.value)


def test_the_needed_rank_is_the_next_that_vllm_has():
    assert [needed_rank([r]) for r in (1, 8, 9, 33, 512)] == [
        1, 8, 16, 64, 512,
    ]  # fmt: skip
    assert needed_rank([]) == 1
    assert needed_rank([8, 10**6, 3]) == 512
