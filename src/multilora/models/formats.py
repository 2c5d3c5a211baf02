"""How one linear layer's weights are stored: bits, scales, zeros."""

from dataclasses import dataclass

# What shares a scale: a whole matrix, an output row, a block of rows and
# columns, a group of one row's inputs; "" for weights without scales.
SHARED = ("", "tensor", "channel", "block", "group")


@dataclass(frozen=True)
class Format:
    """How a matrix and what it needs beside it are stored.

    bits is the width of one weight. `scaled` is one of SHARED, scale_bytes
    the width of one scale. `group` is how many inputs share a scale, `block`
    how many rows and columns do. Zeros, one a scale, are `bits` wide.

    has_second_scale is a float32 for each of the matrices that vLLM merges;
    has_input_scale is one for their inputs. Experts have the second scale
    too; of input scales `expert_input_scales` says: "" none, "expert" one an
    expert and layer, "matrix" one for each of its matrices.
    is_nested is bitsandbytes' double quantisation: the scales are one byte,
    with a float32 for each 256 of them. fixed_bytes are constants beside a
    merged matrix, such as the unpacked shape, expert_fixed_bytes those of
    one expert.
    has_order is GPTQ's g_idx, an int32 for each input.
    has_expert_biases: vLLM allocates biases that the experts do not use.
    expert_padding lengthens experts' hidden and intermediate widths to
    multiples of it.
    """

    bits: int
    scaled: str = ""
    scale_bytes: int = 0
    group: int = 0
    block: tuple[int, int] = (0, 0)
    has_zeros: bool = False
    has_second_scale: bool = False
    has_input_scale: bool = False
    expert_input_scales: str = ""
    is_nested: bool = False
    fixed_bytes: int = 0
    expert_fixed_bytes: int = 0
    has_order: bool = False
    has_expert_biases: bool = False
    expert_padding: tuple[int, int] = (1, 1)


# Parameters of Fp8LinearMethod, Fp8MoEMethod (quantization/fp8.py).
FP8_TENSOR = Format(8, "tensor", 4)
FP8_TENSOR_STATIC = Format(
    8, "tensor", 4, has_input_scale=True, expert_input_scales="expert"
)
# CompressedTensorsW8A8Fp8, FBGEMMFp8LinearMethod, and their experts.
FP8_CHANNEL = Format(8, "channel", 4)
FBGEMM_FP8 = Format(8, "channel", 4, fixed_bytes=4)
FP8_BLOCK = Format(8, "block", 4, block=(128, 128))
# CompressedTensorsW8A8Int8 (compressed_tensors_w8a8_int8.py).
INT8_CHANNEL = Format(8, "channel", 4)
# ModelOptNvFp4* (quantization/modelopt.py), CompressedTensorsW4A4Nvfp4:
# a float8 for each 16 inputs.
NVFP4 = Format(
    4, "group", 1, 16, has_second_scale=True, has_input_scale=True,
    expert_input_scales="matrix",
)  # fmt: skip
NVFP4_A16 = Format(
    4, "group", 1, 16, has_second_scale=True, expert_input_scales="matrix"
)
# A power of two, in a byte, for each 32 inputs.
MXFP4 = Format(4, "group", 1, 32)
MXFP8 = Format(8, "group", 1, 32)
# GptOssMxfp4MoEMethod (quantization/mxfp4.py) with the Marlin kernels:
# mxfp4_round_up_hidden_size_and_intermediate_size (oracle/mxfp4.py).
GPT_OSS_MXFP4 = Format(4, "group", 1, 32, expert_padding=(256, 128))
# bitsandbytes' nf4 and fp4: absmax of 64 weights, in float32 or nested.
BNB_4BIT = Format(4, "group", 4, 64)
BNB_4BIT_NESTED = Format(4, "group", 1, 64, is_nested=True)
BNB_8BIT = Format(8, "channel", 4)


def packed_int(
    bits: int,
    group: int,
    has_zeros: bool,
    has_order: bool = False,
    has_expert_biases: bool = False,
) -> Format:
    """Return the format of AWQ and GPTQ: packed integers, 16-bit scales.

    group -1 is one scale an output row. The parameters are those of
    AutoAWQMarlinLinearMethod and AutoGPTQLinearMethod and of the experts'
    methods beside them (quantization/auto_awq.py, auto_gptq.py).
    """
    return Format(
        bits,
        "channel" if group == -1 else "group",
        2,
        0 if group == -1 else group,
        has_zeros=has_zeros,
        has_order=has_order,
        has_expert_biases=has_expert_biases,
    )
