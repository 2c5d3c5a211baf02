"""The spec of lab 03. Each test takes the functions it tests by name."""

from multilora.labs.switch import SlipError, require

LLAMA_2_7B = {"hidden": 4096, "layers": 32}


def test_per_layer_params(lora_params_per_layer):
    _expect(
        lora_params_per_layer(4096, 4096, 16),
        131_072,
        {
            65_536: "only one of A and B is counted",
            16_777_216: "that is the base matrix, in × out, not the adapter",
        },
    )
    _expect(
        lora_params_per_layer(4096, 1024, 8),
        40_960,
        {
            65_536: "with grouped queries in and out differ: count both",
        },
    )


def test_adapter_size_matches_the_lab02_capture(adapter_bytes):
    size = adapter_bytes(**LLAMA_2_7B, rank=16)
    _expect(
        size,
        33_554_432,
        {
            16_777_216: "that is parameters: each takes two bytes",
            8_388_608: "one matrix a layer is counted, but there are four",
            1_048_576: "one layer is counted, but there are 32",
        },
    )
    printed = f"{size / 2**30:.2f} GiB"
    require(
        printed == "0.03 GiB",
        f"the capture prints 0.03 GiB, this prints {printed}",
    )


def test_hundreds_of_adapters_per_gib(adapters_per_gib):
    _expect(
        adapters_per_gib(**LLAMA_2_7B, rank=16),
        32,
        {
            29.8023223876953125: "GB instead of GiB: a GiB is 2**30 bytes",
            16: "bytes_per_param is used twice",
        },
    )
    at_eight = adapters_per_gib(**LLAMA_2_7B, rank=8, targets=2)
    _expect(at_eight, 128, {64: "targets or rank is ignored"})


def test_shrink_ratio_is_the_headline(shrink_ratio):
    ratio = shrink_ratio(7_000_000_000, **LLAMA_2_7B, rank=16)
    require(
        400 <= ratio <= 450,
        f"7 billion over an adapter's parameters is about 417, not {ratio:g}"
        + ("; bytes and parameters are mixed" if 200 < ratio < 220 else ""),
    )


def test_rank_is_a_linear_dial(adapter_bytes):
    small = adapter_bytes(**LLAMA_2_7B, rank=16)
    large = adapter_bytes(**LLAMA_2_7B, rank=64)
    _expect(large, 4 * small, {16 * small: "the rank is squared"})


def test_gpus_saved(gpus_saved):
    _expect(
        gpus_saved(100, 8),
        87,
        {
            88: "rounded down: the 4 tenants left over need an engine too",
            87.5: "half an engine does not exist: round engines up",
            13: "that is the engines needed, not the GPUs saved",
        },
    )
    _expect(gpus_saved(8, 8), 7, {6: "a full engine is one engine, not two"})


def _expect(got, wanted, slips):
    if got == wanted:
        return
    for wrong, sentence in slips.items():
        if got == wrong:
            raise SlipError(sentence)
    raise SlipError(f"expected {wanted:,}, got {got:,}")
