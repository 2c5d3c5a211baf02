"""A room's public functions, every argument, every kind of wrong value.

A call either works or raises a ValueError or TypeError that names the
argument; never another error, a numpy message, a warning or a hang.
"""

import inspect
import math

import numpy as np
import pytest

WRONG = [
    None, -1, 0, 1.5, math.nan, math.inf, "x", True, [], {}, (), {1}, b"a",
    1 + 2j, 10**30, object(), len, [1, 2], [[1, 2], [3]], [math.nan],
    np.array([1, 2]), np.array(3), np.array(["a"]), np.float32(2.5),
    np.int64(-3), np.zeros((0, 3)),
]  # fmt: skip
# What None means where it is allowed: no LoRA, no filter, no limit, default.
OPTIONAL = {"max_loras", "target_modules", "max_num_seqs", "num_adapters",
            "num_hot", "vocab_size", "base_sha256",
            "max_cpu_loras", "max_model_len", "cost", "limits", "quantization",
            "gpu_memory_utilization", "max_num_batched_tokens",
            "num_gpu_blocks", "columns", "time_unit", "prompt_default",
            "output_default", "salt"}  # fmt: skip
NEVER_FINE = (None, math.nan, math.inf, b"a", True, 1 + 2j, len)


def each_wrong_value(good):
    """Return a test of a table {function: the arguments of a good call}."""
    cases = [
        pytest.param(
            function, arguments, position,
            id=f"{function.__qualname__}-{named(function, position)}",
        )
        for function, arguments in good.items()
        for position in range(len(arguments))
    ]  # fmt: skip

    @pytest.mark.parametrize(("function", "arguments", "position"), cases)
    def test(function, arguments, position):
        function(*arguments)
        for wrong in WRONG:
            assert_works_or_named(function, arguments, position, wrong)

    return test


def named(function, position):
    return list(inspect.signature(function).parameters)[position]


def assert_works_or_named(function, arguments, position, wrong):
    """Put a wrong value at a position; an error must name the argument."""
    name = named(function, position)
    try:
        function(*arguments[:position], wrong, *arguments[position + 1 :])
    except (ValueError, TypeError) as error:
        also = ("adapter_id", "model_type")  # inside the argument
        assert any(word in str(error) for word in (name, *also)), (
            f"{name} = {wrong!r}: {error}"
        )
    else:
        is_bad = any(wrong is value for value in NEVER_FINE)
        is_default = wrong is None and name in OPTIONAL
        assert not is_bad or is_default, f"{name} = {wrong!r} was taken"
