"""Readers of the public forms: what is right is read, what is wrong named."""

import gzip
import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from multilora.cache.hitrate import hit_rate_curve
from multilora.serving.workload import make_workload
from multilora.traffic import columns
from multilora.traffic.public import read_sequence, read_uses, read_windows
from multilora.traffic.windows import window_arrivals

USES = "seconds,user,base,adapter\n"
SEQUENCE = "request,base,adapter\n"
WINDOWS = "client,window_10min,req_per_s,cv\n"


@pytest.fixture
def file(tmp_path):
    def write(content):
        path = tmp_path / "trace.csv"
        if isinstance(content, str):
            content = content.encode("utf-8")
        path.write_bytes(content)
        return path

    return write


def test_uses_feed_a_workload_and_the_hit_curve(file):
    path = file(USES + "0,0,0,0\n2.5,1,0,1\n2.5,0,0,0\n")
    uses = read_uses(path)
    assert uses.times_s.tolist() == [0, 2.5, 2.5]
    assert uses.user_ids.tolist() == [0, 1, 0]
    assert make_workload(uses.times_s, uses.adapter_ids).num_adapters == 2
    assert hit_rate_curve(uses.adapter_ids)[1] == pytest.approx(1 / 3)
    assert read_uses(str(path)).base_ids.tolist() == [0, 0, 0]


def test_a_sequence_and_windows_are_read(file):
    sequence = read_sequence(file(SEQUENCE + "2,0,0\n7,0,1\n7,1,3\n"))
    assert sequence.request_ids.tolist() == [2, 7, 7]
    assert sequence.adapter_ids.tolist() == [0, 1, 3]
    windows = read_windows(file(WINDOWS + "0,0,0.5,7.86\n0,1,2.0,1\n"))
    assert windows.rates.tolist() == [0.5, 2.0]
    assert len(window_arrivals(windows)[0]) == 1_500


@given(st.lists(st.tuples(*[st.integers(0, 10**7 - 1)] * 4), min_size=1))
def test_what_is_written_is_read(tmp_path_factory, rows):
    rows = sorted(rows)
    path = tmp_path_factory.mktemp("trace") / "uses.csv"
    path.write_text(USES + "".join(f"{a},{b},{c},{d}\n"
                                   for a, b, c, d in rows))  # fmt: skip
    found = np.column_stack(read_uses(path))
    assert found.tolist() == [list(row) for row in rows]


def test_windows_line_ends_and_a_byte_order_mark_are_fine(file):
    text = "\ufeff" + USES.replace("\n", "\r\n") + "1,0,0,0\r\n"
    assert read_uses(file(text)).times_s.tolist() == [1]


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("", "the file is empty"),
        (USES, "no row below"),
        ("a,b\n1,2\n", "line 1 is 'a,b', but the columns must be seconds"),
        (SEQUENCE + "1,0,0\n", "columns must be seconds,user,base,adapter"),
        (USES + "1,0,0\n", "line 2 has 3 fields, but must have 4"),
        (USES + "1,0,0,0\n\n", "line 3 has 0 fields"),
        (USES + "1,0,0,0\n2,0,0,1", "line 3 is '2,0,0,1' and has no line"),
        (USES + "-1,0,0,0\n", "line 2: seconds is '-1', but must be a number"),
        (USES + "5,0,0,0\n4,0,0,0\n", "line 3: seconds goes back from 5.0"),
        (USES + "nan,0,0,0\n", "seconds is 'nan'"),
        (USES + "inf,0,0,0\n", "seconds is 'inf'"),
        (USES + "1e300,0,0,0\n", "from 0 to 1,000,000,000"),
        (USES + "1,0,0,x\n", "adapter is 'x', but must be a whole number"),
        (USES + "1,0,0,1.5\n", "adapter is '1.5'"),
        (USES + "1,0,0,1_0\n", "adapter is '1_0'"),
        (USES + "1,0,0,٣\n", "adapter is '٣'"),
        (USES + "1,0,0,\n", "adapter is ''"),
        (USES + f"1,0,0,{'9' * 500}\n", "adapter is '999"),
        (USES + f"1,0,0,{'9' * 5000}\n", "line 2 is longer than 1,000 bytes"),
        (USES + '1,0,0,"0\n', "line 2: unexpected end of data"),
        (USES + '1,0,0,"0\n"\n', "adapter is '0.n'"),
        (gzip.compress(b"seconds", mtime=0), "gzipped"),
        (USES.encode() + b"1,0,0,\xff\n", "line 2 is b.* not UTF-8"),
        (USES.encode("utf-16"), "not UTF-8"),
        (b"\0" * 50, "longer than|no line break|not UTF-8"),
        (b"x" * 10**6, "line 1 is longer"),
    ],
)
def test_a_wrong_file_is_named_with_line_and_value(file, content, named):
    path = file(content)
    with pytest.raises(ValueError, match=named) as caught:
        read_uses(path)
    assert str(path) in str(caught.value)
    assert len(str(caught.value)) < 500


def test_a_client_with_two_rows_for_a_window_is_named(file):
    path = file(WINDOWS + "4,7,1,1\n4,7,2,1\n")
    with pytest.raises(ValueError, match="tenant 4 twice in window 7"):
        read_windows(path)
    with pytest.raises(ValueError, match="req_per_s is '-1'"):
        read_windows(file(WINDOWS + "4,7,-1,1\n"))


def test_what_is_no_file_is_named(tmp_path):
    with pytest.raises(ValueError, match="no regular file"):
        read_uses(tmp_path)
    with pytest.raises(ValueError, match="No such file"):
        read_uses(tmp_path / "nothing.csv")
    with pytest.raises(ValueError, match="File name too long"):
        read_uses("x" * 5_000)
    with pytest.raises(ValueError, match="null byte"):
        read_uses("a\0b")
    with pytest.raises(TypeError, match="path is 3"):
        read_uses(3)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(ValueError, match="no regular file"):
        read_uses(pipe)


def test_a_huge_file_is_refused_before_it_is_read(tmp_path, monkeypatch):
    path = tmp_path / "huge.csv"
    with open(path, "wb") as file:
        file.truncate(columns.MAX_BYTES + 1)  # takes no room on the disk
    with pytest.raises(ValueError, match="bytes; at most 268,435,456"):
        read_uses(path)
    monkeypatch.setattr(columns, "MAX_ROWS", 2)
    path.write_text(USES + "1,0,0,0\n" * 3)
    with pytest.raises(ValueError, match="line 4 is one too many"):
        read_uses(path)
