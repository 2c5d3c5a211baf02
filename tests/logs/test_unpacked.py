"""How long a log is, gzipped or not, without unpacking more than needed."""

import gzip

import pytest

from multilora.logs.lines import CHUNK
from multilora.logs.unpacked import unpacked_bytes


@pytest.mark.parametrize("num", [0, 1, 1000, 3 * CHUNK])
def test_a_gzipped_log_is_as_long_as_its_text(num, tmp_path):
    path = tmp_path / "a"
    for content in (b"x" * num, gzip.compress(b"x" * num)):
        path.write_bytes(content)
        assert unpacked_bytes(path, 4 * CHUNK) == num


def test_more_than_the_limit_is_not_unpacked(tmp_path):
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(bytes(2**27), 1))
    assert 1000 < unpacked_bytes(path, 1000) <= 1000 + CHUNK


def test_a_gzip_file_that_is_cut_counts_as_far_as_it_goes(tmp_path):
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(bytes(range(256)) * 999)[:300])
    assert 0 <= unpacked_bytes(path, 10**6) < 256 * 999


@pytest.mark.parametrize("name", ["none", "", "a\0b"])
def test_what_cannot_be_read_is_a_sentence(name, tmp_path):
    with pytest.raises(ValueError, match=r"^path is "):
        unpacked_bytes(tmp_path / name, 5)
