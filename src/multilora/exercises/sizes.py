"""Part 2, first third: adapters and their files, to the byte."""

from functools import cache

import numpy as np

from multilora import tenants
from multilora.adapters.check import check_adapter
from multilora.adapters.file import adapter_file_bytes, adapter_params
from multilora.exercises.answers import Function, Number
from multilora.exercises.task import Exercise
from multilora.models.shapes import ALL_LINEAR, ModelShape, TargetModules
from multilora.models.shipped import model_shape
from multilora.published import published

MODELS = ("Llama-2-7B", "Llama-3.1-8B", "Llama-3.2-1B", "Qwen2.5-7B")


def tensor_bytes(
    shape: ModelShape, rank: int, target_modules: TargetModules
) -> int:
    """Return the bytes of an adapter's tensors as PEFT saves them, fp32."""
    return 4 * adapter_params(shape, rank, target_modules)


def _tensor_cases():
    rng = np.random.default_rng(5)
    fixed = [
        (model_shape("Llama-2-7B"), 8, ["q_proj"]),
        (model_shape("Llama-3.1-8B"), 16, ["q_proj", "v_proj"]),
        (model_shape("Qwen2.5-7B"), 32, list(ALL_LINEAR)),
    ]
    return fixed + [
        (
            model_shape(str(rng.choice(MODELS))),
            int(rng.choice([4, 8, 64])),
            rng.choice(ALL_LINEAR, 3, replace=False).tolist(),
        )
        for _ in range(4)
    ]


def _square(shape, rank, targets):
    hidden = shape.hidden_size
    return 4 * rank * 2 * hidden * len(targets) * shape.num_layers


def _halves(width):
    def slip(shape, rank, targets):
        widths = sum(getattr(item, width) for item in shape.select(targets))
        return 4 * rank * widths * shape.num_layers

    return slip


TENSOR_SLIPS = [
    ("two bytes a weight is what a slot takes; PEFT saves four",
     lambda *case: tensor_bytes(*case) // 2),
    ("those are weights, not bytes", lambda *case: tensor_bytes(*case) // 4),
    ("one layer is counted; the model has num_layers of them",
     lambda shape, *rest: tensor_bytes(shape, *rest) // shape.num_layers),
    ("each module is taken as hidden × hidden: read its own widths",
     _square),
    ("only the modules named in target_modules count",
     lambda shape, rank, _: tensor_bytes(shape, rank, list(ALL_LINEAR))),
    ("only A is counted, rank × in", _halves("in_features")),
    ("only B is counted, out × rank", _halves("out_features")),
]  # fmt: skip

OWN = "pirate"


def own_file() -> int:
    """Return the size of one of our own adapters' files, as it lies there."""
    path = tenants.folder_of(OWN) / "adapter_model.safetensors"
    return path.stat().st_size


@cache
def _own_slips():
    shape = ModelShape.from_config(tenants.folder_of("base"))
    facts = check_adapter(tenants.folder_of(OWN), shape, 16)
    small = adapter_file_bytes(shape, facts.rank, "all-linear", "F16")
    eight = adapter_file_bytes(shape, 8, "all-linear")
    return {
        "those are the tensors; the file begins with a header":
            facts.num_bytes,
        "the header begins with eight bytes that hold its length":
            own_file() - 8,
        "those are 16-bit weights, but PEFT wrote fp32": small,
        "its rank is not 8: read r in its adapter_config.json": eight,
    }  # fmt: skip


def odd_row() -> dict:
    """Return the public file whose size a plain formula misses by little."""
    rows = published("adapters")["rows"]
    return next(row for row in rows if row["file_bytes"] == 109_071_352)


def bytes_too_many() -> int:
    """Return by how much that file is larger than PEFT would write it."""
    return odd_row()["file_bytes"] - _plain("F32")


def _plain(dtype):
    shape = model_shape(odd_row()["model"])
    row = odd_row()
    return adapter_file_bytes(shape, row["rank"], row["target_modules"], dtype)


def _odd_slips():
    row, shape = odd_row(), model_shape(odd_row()["model"])
    tensors = tensor_bytes(shape, row["rank"], row["target_modules"])
    every = adapter_file_bytes(shape, row["rank"], "all-linear")
    return {
        "a header is no surprise: compare with the file, not its tensors":
            row["file_bytes"] - tensors,
        "take fp32, what PEFT writes, not 16 bits":
            row["file_bytes"] - _plain("F16"),
        "the other way round: the file is the larger one":
            -bytes_too_many(),
        "that is what PEFT would write: subtract it from the file":
            _plain("F32"),
        "that is for one tensor's name; count the whole file":
            bytes_too_many() // (4 * shape.num_layers),
        "the adapter has q_proj and v_proj only":
            row["file_bytes"] - every,
    }  # fmt: skip


EXERCISES = [
    Exercise("tensor_bytes", "Real shapes", 2, 12, Function(
        tensor_bytes, _tensor_cases,
        "four bytes × rank × layers × summed (in + out)", TENSOR_SLIPS)),
    Exercise("own_file", "A file of ours, to the byte", 2, 10, Number(
        own_file, "{} bytes, and the file on disk agrees", _own_slips)),
    Exercise("odd_file", "A stranger's file", 2, 12, Number(
        bytes_too_many, "{} bytes more than PEFT would write", _odd_slips)),
]  # fmt: skip
