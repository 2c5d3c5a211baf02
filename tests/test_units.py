"""Bytes in binary units."""

import math

import pytest

from multilora.units import GIB, format_bytes, gib, mib


def test_units_are_binary():
    assert mib(2**20) == 1
    assert gib(2**30) == 1
    texts = [format_bytes(n) for n in (7, 2048, 33_554_432, 1.5 * GIB)]
    assert format_bytes(2**30 - 1) == "1.0 GiB"
    assert texts == ["7 B", "2.0 KiB", "32.0 MiB", "1.50 GiB"]


BAD = [
    (format_bytes, ("7",), TypeError, "num_bytes is '7'"),
    (gib, (math.nan,), ValueError, "num_bytes is nan"),
]  # fmt: skip


@pytest.mark.parametrize(("function", "arguments", "error", "named"), BAD)
def test_bad_input_is_named(function, arguments, error, named):
    with pytest.raises(error, match=named):
        function(*arguments)
