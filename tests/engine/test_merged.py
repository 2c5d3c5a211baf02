"""A merged model serves as base and adapter do, and is PEFT's."""

import numpy as np
import pytest

from multilora import engine, tenants
from multilora.adapters.checkpoints import tensors
from multilora.adapters.diff import eval_diff
from multilora.adapters.merged import write_merged
from multilora.tenants import folder_of
from voices import BASE

pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings("ignore")]


@pytest.mark.parametrize("name", tenants.tenant_names())
def test_merged_and_consolidated_agree(name, held_out, tmp_path):
    questions, replies = held_out
    model = write_merged(BASE, folder_of(name), tmp_path / name)
    with engine.start(model, max_loras=None) as dedicated:
        said = dedicated.generate([item.prompt for item in questions])
    diff = eval_diff(said, replies[name])
    assert diff.num_equal == diff.num_prompts == 360
    assert diff.max_logprob_difference < 1e-3


def test_our_merge_is_pefts(tmp_path):
    import torch
    from peft import PeftModel

    from multilora.tenants.train import load_base

    folder = write_merged(BASE, folder_of("json"), tmp_path / "json")
    ours = tensors(folder / "model.safetensors")
    model = PeftModel.from_pretrained(load_base(BASE), folder_of("json"))
    with torch.no_grad():
        theirs = model.merge_and_unload().state_dict()
    for name, tensor in ours.items():
        np.testing.assert_allclose(
            tensor.values(), theirs[name].numpy(), atol=1e-6
        )
