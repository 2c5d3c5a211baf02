"""vLLM's LoRA manager without an engine around it."""

import shutil

import pytest

from multilora import tenants

pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings("ignore")]


def test_a_vanished_file_fails_in_the_step_and_not_at_the_load(tmp_path):
    """The page says why that ends a server: nobody is asked in between."""
    from vllm.exceptions import LoRAAdapterNotFoundError

    from multilora.engine.bare import BareLoRA

    folder = shutil.copytree(tenants.folder_of("sql"), tmp_path / "gone")
    bare = BareLoRA(tenants.folder_of("base"), 1, max_lora_rank=16)
    bare.add(folder, [1])
    bare.add(tenants.folder_of("json"), [2])
    bare.step([1])
    bare.step([2])
    shutil.rmtree(folder)
    with pytest.raises(LoRAAdapterNotFoundError):
        bare.step([1])
