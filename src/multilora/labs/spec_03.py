"""The spec of lab 03. Each test takes the functions it tests by name."""

from multilora.labs import spec_03_slips as slips
from multilora.labs.slips import require
from multilora.labs.spec_03_compare import compare, one_doubled

LLAMA_2_7B = {"hidden": 4096, "layers": 32}
SHORT = {**LLAMA_2_7B, "rank": 16}  # the rest as the defaults have it
FULL = {**SHORT, "targets": 4, "bytes_per_param": 2}
ODD = {"hidden": 80, "layers": 3, "rank": 7}
# One argument after the other is doubled; then the defaults must hold.
SIZES = [*one_doubled(FULL, FULL), SHORT, ODD, {**ODD, "rank": 5}]


def test_per_layer_params(lora_params_per_layer):
    first = {"in_features": 4096, "out_features": 1024, "rank": 8}
    compare(
        "lora_params_per_layer",
        # By position: their names are the learner's own.
        lambda in_features, out_features, rank: lora_params_per_layer(
            in_features, out_features, rank
        ),
        [*one_doubled(first, first), {**first, "out_features": 4096}],
        lambda c: c.rank * (c.in_features + c.out_features),
        slips.PARAMS_PER_LAYER,
    )


def test_adapter_size_matches_the_lab02_capture(adapter_bytes):
    compare("adapter_bytes", adapter_bytes, SIZES, _bytes, slips.ADAPTER_BYTES)
    printed = f"{adapter_bytes(**SHORT) / slips.GIB:.2f} GiB"
    require(
        printed == "0.03 GiB",
        f"the capture prints 0.03 GiB, this prints {printed}",
    )


def test_hundreds_of_adapters_per_gib(adapters_per_gib):
    compare(
        "adapters_per_gib",
        adapters_per_gib,
        SIZES,
        lambda c: slips.GIB / _bytes(c),
        slips.ADAPTERS_PER_GIB,
    )


def test_shrink_ratio_is_the_headline(shrink_ratio):
    base = {"base_params": 7_000_000_000}
    first = {**base, **SHORT, "targets": 4}
    cases = [*one_doubled(first, first), {**base, **SHORT}, {**base, **ODD}]
    compare(
        "shrink_ratio",
        shrink_ratio,
        cases,
        lambda c: c.base_params * c.bytes_per_param / _bytes(c),
        slips.SHRINK_RATIO,
    )


def test_rank_is_a_linear_dial(adapter_bytes):
    small = adapter_bytes(**LLAMA_2_7B, rank=16)
    large = adapter_bytes(**LLAMA_2_7B, rank=64)
    require(large != 16 * small, "the rank is squared")
    require(
        large == 4 * small,
        f"four times the rank takes four times the bytes, not {large} "
        f"after {small}",
    )


def test_gpus_saved(gpus_saved):
    pairs = [
        (100, 8),
        (100, 16),
        (200, 8),
        (8, 8),
        (15, 8),
        (9, 8),
        (3, 8),
        (7, 1),
    ]
    compare(
        "gpus_saved",
        lambda tenants, max_loras: gpus_saved(tenants, max_loras),
        [{"tenants": number, "max_loras": slots} for number, slots in pairs],
        lambda c: c.tenants - -(-c.tenants // c.max_loras),
        slips.GPUS_SAVED,
    )


def _bytes(c):
    return 2 * c.hidden * c.rank * c.targets * c.layers * c.bytes_per_param
