"""The number formats of weights, slots and KV, in vLLM's names."""

from multilora.arguments import choice

# lora_dtype; auto is the model's own, 16 bits wherever vLLM runs on a GPU.
LORA_DTYPE_BYTES = {"auto": 2, "float16": 2, "bfloat16": 2, "float32": 4}
# --dtype, of what is not quantised.
WEIGHT_DTYPE_BYTES = {**LORA_DTYPE_BYTES, "half": 2, "float": 4}
# kv_cache_dtype; a page of fp8 holds no scales, there is one a tensor.
KV_DTYPE_BYTES = {
    **LORA_DTYPE_BYTES,
    "fp8": 1,
    "fp8_e4m3": 1,
    "fp8_e5m2": 1,
}


def lora_dtype_bytes(lora_dtype: str) -> int:
    """Return the bytes of one element of a slot, or raise ValueError."""
    return LORA_DTYPE_BYTES[choice("lora_dtype", lora_dtype, LORA_DTYPE_BYTES)]


def weight_dtype_bytes(dtype: str) -> int:
    """Return the bytes of one unquantised weight, or raise ValueError."""
    return WEIGHT_DTYPE_BYTES[choice("dtype", dtype, WEIGHT_DTYPE_BYTES)]


def kv_dtype_bytes(kv_cache_dtype: str) -> int:
    """Return the bytes of one element of a KV page, or raise ValueError."""
    return KV_DTYPE_BYTES[
        choice("kv_cache_dtype", kv_cache_dtype, KV_DTYPE_BYTES)
    ]
