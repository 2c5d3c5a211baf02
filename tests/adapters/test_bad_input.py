"""Wrong arguments of adapters' files, checks and diffs work or are named."""

from bad_input import each_wrong_value
from multilora.adapters import (
    check,
    checkpoints,
    diff,
    file,
    folders,
    preflight,
    readable,
)
from multilora.engine.views import Reply
from multilora.models.shapes import ModelShape
from multilora.models.shipped import model_shape
from multilora.tenants import folder_of

LLAMA = model_shape("Llama-2-7B")
BASE = folder_of("base")
SMALL = ModelShape.from_config(BASE)
REPLY = Reply("a", None, "b", (1,), (-1.0,))
GOOD = {
    file.adapter_params: (LLAMA, 8, ["q_proj"]),
    file.adapter_file_bytes: (LLAMA, 8, ["q_proj"], "F32", "p.", (), "BF16"),
    file.explain_file_bytes: (100, LLAMA, 8, ["q_proj"]),
    checkpoints.base_fingerprint: (BASE,),
    checkpoints.weight_files: (BASE,),
    checkpoints.tensors: (BASE / "model.safetensors",),
    check.check_adapter: (folder_of("sql"), SMALL, 8, None),
    diff.eval_diff: ([REPLY], [REPLY]),
    check.check_sha256: ("0" * 64,),
    checkpoints.is_header_alone: (BASE / "model.safetensors",),
    folders.adapter_folders: (folder_of("sql"),),
    folders.rank_in: (folder_of("sql"),),
    folders.ranks_in: ([folder_of("sql")],),
    preflight.preflight: ([folder_of("sql")], SMALL),
    preflight.needed_rank: ([8], "0.32.0"),
    readable.readable: (folder_of("sql"), 8),
}

test_each_wrong_value_works_or_is_named = each_wrong_value(GOOD)
