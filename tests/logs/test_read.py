"""Logs of servers and gateways: each form is read, each bad line counted."""

import csv
import gzip
import io
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import example_log
from multilora.logs.columns import Columns
from multilora.logs.lines import MAX_LINE
from multilora.logs.read import example_log_path, read_log

NAMES = ["time", "model", "prompt_tokens", "completion_tokens"]
HEAD = ",".join(NAMES) + "\n"
T0 = 1_700_000_000


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("logs")

    def write(content, name="log"):
        path = folder / name
        if isinstance(content, str):
            content = content.encode("utf-8")
        path.write_bytes(content)
        return path

    return write


def plain_loop(rows):
    """What a Log of good rows holds, told row by row."""
    rows = sorted(rows, key=lambda row: row[0])  # stable
    num = {}
    for row in sorted(rows, key=lambda row: row[4]):
        num[row[1]] = num.get(row[1], 0) + 1
    names = sorted(num, key=lambda name: -num[name])
    return (
        [row[0] - rows[0][0] for row in rows],
        [names.index(row[1]) for row in rows],
        names,
        [row[2] for row in rows],
        [row[3] for row in rows],
    )


def columns_of(log):
    return (
        log.times_s.tolist(),
        log.adapter_ids.tolist(),
        list(log.tenants),
        log.prompt_tokens.tolist(),
        log.output_tokens.tolist(),
    )


def as_csv(rows, delimiter=","):
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerows([NAMES, *(row[:4] for row in rows)])
    return out.getvalue()


def as_objects(rows):
    return [dict(zip(NAMES, row, strict=False)) for row in rows]


def as_lines(rows):
    return "".join(json.dumps(row) + "\n" for row in as_objects(rows))


TENANTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Z"]),
    min_size=1,
    max_size=5,
)
GOOD = st.tuples(
    st.integers(T0, T0 + 1000),
    TENANTS | st.sampled_from(['a,"b"', "x\ny", "a'b"]),
    st.integers(1, 10**6),
    st.integers(1, 10**6),
)
# Lines of a CSV that are no request, whatever stands around them.
BAD = st.sampled_from([
    b"\xff\xfe,a,1,1", b"now,a,1,1", b",a,1,1", b"nan,a,1,1", b"-5,a,1,1",
    b"1700000000,,1,1", b"1700000000,a,0,1", b"1700000000,a,1,-1",
    b"1700000000,a,1.5,1", b"1700000000,a,1", b"1700000000,a,1,1,1",
    b"1700000000,a,1,x", b"17000\0000000,a,1,1", b"1e999,a,1,1", b"0,a,1,1",
    b"1700000000,a,1,10000000", b'1700000000,"a"b,1,1', b"1_7,a,1,1",
    HEAD.strip().encode(), b"1900-01-01,a,1,1", b"1700000000,a,,1",
])  # fmt: skip
BAD_OBJECTS = st.sampled_from([
    b"{", b"[]", b"7", b"null", b'{"time": 1700000000}', b"\xff", b"{}",
    b'{"time": true, "model": "a", "prompt_tokens": 1, '
    b'"completion_tokens": 1}',
    b'{"time": 1700000000, "model": ["a"], "prompt_tokens": 1, '
    b'"completion_tokens": 1}',
    b'{"time": 1700000000, "model": "a", "prompt_tokens": true, '
    b'"completion_tokens": 1}',
    b'{"time": 1700000000, "model": "a", "prompt_tokens": 1, ',
    b"[" * 5000, b"1" * 5000,
])  # fmt: skip


def mixed(bad):
    return st.lists(GOOD | bad, max_size=30).filter(
        lambda lines: (
            sum(isinstance(line, tuple) for line in lines) > len(lines) / 2
        )
    )


@given(mixed(BAD))
def test_of_good_and_bad_lines_of_csv_the_good_ones_are_read(file, lines):
    rows, text, num_bad = [], HEAD.encode(), 0
    for line in lines:
        if isinstance(line, tuple):
            rows.append((*line, len(rows)))
            text += as_csv([line]).encode().split(b"\n", 1)[1]
        else:
            num_bad += 1
            text += line + b"\n"
    log = read_log(file(text))
    assert columns_of(log) == plain_loop(rows)
    assert log.num_skipped == num_bad


@given(mixed(BAD_OBJECTS))
def test_of_good_and_bad_lines_of_json_the_good_ones_are_read(file, lines):
    rows, text, num_bad = [], b"", 0
    first = as_lines([(T0, "a", 1, 1)]).encode()
    rows.append((T0, "a", 1, 1, -1))
    for line in lines:
        if isinstance(line, tuple):
            rows.append((*line, len(rows)))
            text += as_lines([line]).encode()
        else:
            num_bad += 1
            text += line + b"\n"
    log = read_log(file(first + text))
    assert columns_of(log)[3:] == plain_loop(rows)[3:]
    assert log.num_requests == len(rows)
    assert log.num_skipped == num_bad


@given(st.lists(GOOD, min_size=1, max_size=20))
def test_every_form_of_a_log_reads_the_same(file, rows):
    forms = {
        "log.csv": as_csv(rows),
        "log.tsv": as_csv(rows, "\t"),
        "semicolons.csv": as_csv(rows, ";"),
        "bom.csv": "\ufeff" + as_csv(rows),
        "log.jsonl": as_lines(rows),
        "log.json": json.dumps(as_objects(rows)),
        "pretty.json": json.dumps(as_objects(rows), indent=2),
    }
    expected = plain_loop([(*row, n) for n, row in enumerate(rows)])
    expected[2][:] = [name.strip() for name in expected[2]]
    for name, text in forms.items():
        for data in (text.encode(), gzip.compress(text.encode(), mtime=0)):
            log = read_log(file(data, name))
            assert columns_of(log) == expected, name
            assert not log.skipped


KNOWN = {
    "BurstGPT (CSV)": (
        "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type"
        "\n5,ChatGPT,472,18,490,API log\n45,ChatGPT,1087,230,1317,API log\n"
    ),
    "Azure (CSV)": (
        "TIMESTAMP,ContextTokens,GeneratedTokens\n"
        "2023-11-16 18:15:46.6805900,472,18\n"
        "2023-11-16 18:16:26.6805900,1087,230\n"
    ),
    "Mooncake (JSON lines)": (
        '{"timestamp": 5000, "input_length": 472, "output_length": 18, '
        '"hash_ids": [0, 1]}\n'
        '{"timestamp": 45000, "input_length": 1087, "output_length": 230, '
        '"hash_ids": [0, 2]}\n'
    ),
    "LiteLLM (JSON array)": (
        '[{"request_id": "x", "api_key": "88dc", "model": "ChatGPT", '
        '"startTime": "2026-01-15T17:21:12.409000Z", "team_id": null, '
        '"endTime": "2026-01-15T17:25:00Z", "spend": 0.1, '
        '"prompt_tokens": 472, "completion_tokens": 18},'
        '{"request_id": "y", "model": "ChatGPT", '
        '"startTime": "2026-01-15T17:21:52.409000Z", '
        '"prompt_tokens": 1087, "completion_tokens": 230}]'
    ),
    "OpenAI (JSON lines)": (
        '{"id": "a", "created": 1700000005, "model": "ChatGPT", "usage": '
        '{"prompt_tokens": 472, "completion_tokens": 18}}\n'
        '{"id": "b", "created": 1700000045, "model": "ChatGPT", "usage": '
        '{"prompt_tokens": 1087, "completion_tokens": 230}}\n'
    ),
}


@pytest.mark.parametrize("name", KNOWN)
def test_a_known_format_is_read_without_options(file, name):
    log = read_log(file(KNOWN[name]))
    assert log.format == name
    assert log.times_s.tolist() == pytest.approx([0, 40])
    assert log.prompt_tokens.tolist() == [472, 1087]
    assert log.output_tokens.tolist() == [18, 230]
    has_tenant = name.split()[0] not in ("Azure", "Mooncake")
    assert log.tenants == (("ChatGPT",) if has_tenant else ("all",))
    assert not log.skipped


def test_batch_output_is_found_within_its_response(file):
    row = {"custom_id": "x", "response": {"status_code": 200, "body": {
        "created": T0, "model": "a", "usage": {
            "prompt_tokens": 3, "completion_tokens": 4}}}}  # fmt: skip
    log = read_log(file(json.dumps(row) + "\n"))
    assert log.columns.time == "response.body.created"
    assert columns_of(log) == ([0], [0], ["a"], [3], [4])


def test_gentd26_has_no_tokens_and_an_empty_adapter_is_the_base(file):
    path = file("seconds,user,base,adapter\n0,1,0,7\n900,1,0,\n950,2,0,7\n")
    with pytest.raises(ValueError, match=r"--prompt-column.*--prompt-tokens"):
        read_log(path)
    log = read_log(path, prompt_default=100, output_default=50)
    assert log.adapter_ids.tolist() == [0, -1, 0] and log.tenants == ("7",)
    assert set(log.prompt_tokens) == {100}
    assert any("3 lines do not say their prompt" in n for n in log.notes)


def test_base_names_are_the_base_model(file):
    path = file(as_csv([(T0, "llama", 1, 1), (T0, "a", 1, 1)]))
    log = read_log(path, base_names=["llama"])
    assert log.adapter_ids.tolist() == [-1, 0] and log.tenants == ("a",)


def test_named_columns_are_taken_instead_of_known_ones(file):
    path = file("when,model,who,in,out\n5,m,a,1,2\n6,m,b,3,4\n")
    asked = Columns("when", "who", "in", "out")
    log = read_log(path, asked)
    assert columns_of(log) == ([0, 1], [0, 1], ["a", "b"], [1, 3], [2, 4])
    with pytest.raises(ValueError, match=r"'whom'.*--tenant-column.*'who'"):
        read_log(path, asked._replace(tenant="whom"))
    with pytest.raises(ValueError, match=r"to hold times.*'when', 'model'"):
        read_log(path)
    with pytest.raises(ValueError, match="must be another column"):
        read_log(path, asked._replace(tenant="when"))


def test_a_log_without_tenants_is_one_tenant_with_a_note(file):
    log = read_log(file("time,prompt_tokens,output_tokens\n5,1,2\n"))
    assert log.tenants == ("all",)
    assert "--tenant-column" in log.notes[0] and "'time'" in log.notes[0]


def test_hashed_names_keep_who_is_who(file):
    rows = [(T0 + n, f"t{n % 3}", 1, 1) for n in range(9)]
    path = file(as_csv(rows))
    open_log = read_log(path)
    once, again = [read_log(path, is_hashed=True) for _ in range(2)]
    salted = [read_log(path, is_hashed=True, salt="s").tenants for _ in "ab"]
    assert once.tenants != again.tenants and salted[0] == salted[1]
    for log in (once, again):
        assert (log.adapter_ids == open_log.adapter_ids).all()
        assert all(len(name) == 12 for name in log.tenants)
        assert not set(log.tenants) & {"t0", "t1", "t2"}


def test_what_was_skipped_names_the_first_line_of_each_reason(file):
    text = HEAD + f"{T0},a,1,1\nx,a,1,1\n\n{T0},a,0,1\nx,a,1,1\n"
    skipped = read_log(file(text)).skipped
    assert skipped == {
        "a time that is no time": (2, 3),
        "0 prompt tokens": (1, 5),
    }


def test_a_quote_that_is_never_closed_costs_its_own_line_only(file):
    rows = "".join(f"{T0 + n},a,1,1\n" for n in range(5000))
    log = read_log(file(HEAD + f'{T0},"a,1,1\n' + rows))
    assert log.num_requests == 5000
    assert log.skipped == {"a quote that is not closed": (1, 2)}


def test_a_cut_gzip_file_gives_what_came_before(file):
    rows = [(T0 + n, f"t{n * n % 97}", n + 1, 1) for n in range(20_000)]
    packed = gzip.compress(as_lines(rows).encode(), mtime=0)
    log = read_log(file(packed[: len(packed) // 2]))
    assert 5_000 < log.num_requests < 15_000
    assert "the gzip file is cut off or broken" in log.skipped
    assert log.prompt_tokens.tolist() == list(range(1, log.num_requests + 1))
    packed = gzip.compress(json.dumps(as_objects(rows)).encode(), mtime=0)
    log = read_log(file(packed[: len(packed) // 2]))
    assert 5_000 < log.num_requests < 15_000


def test_an_array_that_breaks_off_gives_what_came_before(file):
    text = json.dumps(as_objects([(T0, "a", 1, 1)] * 3), indent=1)
    log = read_log(file(text[:-40]))
    assert log.num_requests == 2
    assert log.skipped == {"the JSON array is broken from here on": (1, 14)}


def test_a_line_that_never_ends_is_passed_over(file):
    long = b"1700000000," + b"a" * (2 * MAX_LINE) + b",1,1\n"
    good = f"{T0},a,1,1\n".encode()
    log = read_log(file(HEAD.encode() + good + long + good))
    assert log.num_requests == 2 and log.num_skipped == 1


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "empty"),
        (b"\n \n\n", "does not start with text"),
        (HEAD.encode(), "no request in it can be read. Skipped: nothing"),
        (HEAD.encode() + b"x,a,1,1\n", r"1 × a time that is no time.*line 2"),
        (b"1700000000,a,1,1\n", "must name the columns"),
        ("time,model\n".encode("utf-16"), "UTF-16"),
        (b"PK\x03\x04 and more", "zip archive"),
        (b"PAR1\0\0", "Parquet"),
        (b"\x7fELF\0\0\0", "binary"),
        (
            gzip.compress(gzip.compress(b"a", mtime=0), mtime=0),
            "gzipped twice",
        ),
        (gzip.compress(b"", mtime=0)[:5], "empty"),
        (b"{\n", "jq -c"),
        (b"{}\n", "to hold times"),
        (b"[]", "no whole JSON object"),
        (b"[1, 2]", "no whole JSON object"),
        (b"[" * 100_000, "no whole JSON object"),
        (b'{"a": 1', "jq -c"),
    ],
    # Not the bytes: workers must name tests alike, and some are long.
    ids=lambda value: value if isinstance(value, str) else "file",
)
def test_a_file_without_a_request_is_one_sentence(file, content, what):
    with pytest.raises(ValueError, match=what) as error:
        read_log(file(content))
    assert "\n" not in str(error.value) and "path is" in str(error.value)


def test_a_folder_and_a_missing_file_are_one_sentence(tmp_path):
    for path in (tmp_path, tmp_path / "none", str(tmp_path) + "\0"):
        with pytest.raises(ValueError, match="path is"):
            read_log(path)


def test_progress_goes_up_to_the_bytes_of_the_file(file):
    path = file(as_csv([(T0, "a", 1, 1)] * 50_000))
    seen = []
    read_log(path, progress=lambda num, total: seen.append((num, total)))
    size = path.stat().st_size
    assert {total for _, total in seen} == {size}
    assert seen == sorted(seen) and 0 < seen[-1][0] <= size


def test_names_that_cannot_be_printed_are_made_printable(file):
    row = f'{{"time": {T0}, "model": "\\ud800x", "prompt_tokens": 1, '
    log = read_log(file(row + '"completion_tokens": 1}\n'))
    assert log.tenants == ("?x",)
    assert np.isfinite(log.times_s).all()


def test_the_example_is_an_hour_of_forty_tenants():
    log = read_log(example_log_path())
    assert len(log.tenants) == 40 and log.num_requests == 10_806
    assert 3_500 < log.seconds < 3_600
    assert log.start == "2026-03-02T09:00:00.356Z"
    assert not log.skipped and not log.notes


@pytest.mark.stored
def test_the_example_is_what_its_tool_writes():
    stored = gzip.decompress(example_log_path().read_bytes())
    assert stored.decode() == "".join(example_log.lines())
