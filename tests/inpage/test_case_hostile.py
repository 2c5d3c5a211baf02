"""Files of a case that are wrong, huge or hostile: a sentence each."""

import gzip
import json
import os
import time
import tracemalloc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from multilora.inpage import case_base, case_check, case_log, case_plan
from multilora.inpage.blocks import MAX_LETTERS
from multilora.inpage.case import own_case
from multilora.models.shipped import model_shape
from multilora.published import published

HEAD = "time,model,prompt_tokens,completion_tokens"
GOOD = f"{HEAD}\n1e9,a,5,6\n1000000001,b,7,8\n"
CONFIG = next(
    m["config"] for m in published("models") if m["name"] == "Llama-3.2-1B"
)
SCRIPT = "<script>alert(1)</script>"


def put(folder, path, content):
    """Write a file of a case: text, bytes, or a number of empty bytes."""
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, int):
        with open(file, "wb") as sparse:
            sparse.truncate(content)
    else:
        file.write_bytes(
            content if isinstance(content, bytes) else content.encode()
        )
    return file


def answered(folder, **options):
    """The blocks by title; each holds short printable text, and no error."""
    blocks = own_case(folder, **options)["blocks"]
    json.dumps(blocks, allow_nan=False)
    for block in blocks:
        assert block["text"]
        for text in block["text"]:
            assert len(text) <= 4 * MAX_LETTERS and text.isprintable()
            assert "Traceback" not in text and "error:" not in text.lower()
    return {block["title"]: block for block in blocks}


BAD_CONFIGS = {
    "empty": "",
    "no JSON": "{",
    "a list": "[]",
    "binary": b"\x00\xff\xfe" * 99,
    "UTF-16": '{"model_type": "llama"}'.encode("utf-16"),
    "deep": '{"a":' * 90_000 + "1" + "}" * 90_000,
    "a million keys": json.dumps({f"k{k}": k for k in range(10**6)}),
    "unknown type": '{"model_type": "' + "x" * 10**6 + '"}',
    "NaN": json.dumps({**CONFIG, "hidden_size": float("nan")}),
    "infinite": json.dumps({**CONFIG, "num_hidden_layers": float("inf")}),
    "negative": json.dumps({**CONFIG, "num_hidden_layers": -1}),
    "text": json.dumps({**CONFIG, "hidden_size": "4096"}),
    "null": json.dumps(
        {**CONFIG, "vocab_size": None, "head_dim": [], "model_type": None}
    ),
    "a sparse GiB": 2**30,
}


@pytest.mark.parametrize("kind", BAD_CONFIGS)
def test_a_bad_config_is_a_sentence_and_the_log_is_still_read(kind, tmp_path):
    put(tmp_path, "config/config.json", BAD_CONFIGS[kind])
    put(tmp_path, "log/a.csv", GOOD)
    began = time.process_time()
    found = answered(tmp_path)
    assert time.process_time() - began < 8
    assert found[case_base.SHAPE]["table"] is None
    assert found[case_log.TRAFFIC]["numbers"]["num_requests"] == 2
    assert "a base" in found[case_plan.TITLE]["text"][0]


@pytest.mark.parametrize("field", ["num_hidden_layers", "hidden_size",
                                   "vocab_size",
                                   "max_position_embeddings"])  # fmt: skip
@pytest.mark.parametrize("value", [10**6, 10**12, 10**30])
def test_sizes_that_no_model_has_end_soon(field, value, tmp_path):
    put(tmp_path, "config/config.json", json.dumps({**CONFIG, field: value}))
    put(tmp_path, "log/a.csv", GOOD)
    began = time.process_time()
    found = answered(tmp_path)
    assert time.process_time() - began < 8
    assert case_log.TRAFFIC in found


BAD_LOGS = {
    "empty": b"",
    "binary": os.urandom(4096),
    "zeros": bytes(4096),
    "UTF-16": GOOD.encode("utf-16"),
    "zip": b"PK\x03\x04" + bytes(99),
    "one endless line": b"x" * 10**7,
    "no column of times": "a,b\n1,2\n",
    "no request": HEAD + "\n",
    "deep JSON": "[" * 10**5,
    "deep JSON lines": ('{"a":' * 5000 + "1" + "}" * 5000 + "\n") * 3,
    "broken gzip": gzip.compress(GOOD.encode())[:20],
    "gzip twice": gzip.compress(gzip.compress(GOOD.encode())),
}


@pytest.mark.parametrize("kind", BAD_LOGS)
def test_a_bad_log_is_a_sentence_and_the_base_is_answered(kind, tmp_path):
    put(tmp_path, "log/mine.csv", BAD_LOGS[kind])
    found = answered(tmp_path, model="Llama-3.2-1B", card="24")
    assert found[case_base.MEMORY]["table"]["rows"]
    said = found[case_log.TRAFFIC]["text"][0]
    assert str(tmp_path) not in said and said.endswith(".")
    assert "a log of requests" in found[case_plan.TITLE]["text"][0]


@pytest.mark.parametrize("content", [2**30, gzip.compress(bytes(2**28), 1)])
def test_a_log_too_long_for_a_page_is_refused_at_once(content, tmp_path):
    put(tmp_path, "log/big.csv", content)
    tracemalloc.start()
    began = time.process_time()
    said = answered(tmp_path, model="Llama-3.2-1B")[case_log.TRAFFIC]["text"]
    assert time.process_time() - began < 5
    assert tracemalloc.get_traced_memory()[1] < 2**26
    tracemalloc.stop()
    assert "more than 128 MiB of text" in said[0]
    assert "multilora plan big.csv --model Llama-3.2-1B" in said[0]


def header(length, text=b""):
    return length.to_bytes(8, "little") + text


ADAPTER = json.dumps(
    {"peft_type": "LORA", "r": 8, "lora_alpha": 16, "target_modules": ["q"]}
)
BAD_WEIGHTS = {
    "nothing": b"",
    "terabytes": header(2**42),
    "longer than the file": header(99, b"{}"),
    "20 MiB of header": header(20 * 2**20, b"[" * 20 * 2**20),
    "no JSON": header(2, b"{]"),
    "deep": header(200_000, b"[" * 200_000),
    "a pickle": b"\x80\x04K\x01.",
    "a sparse GiB": 2**30,
    "an entry of terabytes": header(
        90, b'{"a":{"dtype":"F32","shape":[99999999999],"data_offsets":[0,'
        b"399999999996]}}           ",
    ),
}  # fmt: skip


@pytest.mark.parametrize("model", ["", "Llama-3.2-1B"])
@pytest.mark.parametrize("kind", BAD_WEIGHTS)
def test_bad_weights_are_refused_and_the_rest_is_answered(
    kind, model, tmp_path
):
    put(tmp_path, "adapters/bad/adapter_config.json", ADAPTER)
    put(tmp_path, "adapters/bad/adapter_model.safetensors", BAD_WEIGHTS[kind])
    put(tmp_path, "log/a.csv", GOOD)
    found = answered(tmp_path, model=model)
    (row,) = found[case_check.TITLE]["table"]["rows"]
    assert row[0] == "bad" and row[4] == "refused" and row[5]
    assert found[case_log.TRAFFIC]["numbers"]["num_requests"] == 2
    assert bool(found[case_plan.TITLE]["code"]) == bool(model)


def test_a_rank_that_no_slot_holds_does_not_stop_the_plan(tmp_path):
    config = json.loads(ADAPTER) | {"r": 10**9}
    put(tmp_path, "adapters/a/adapter_config.json", json.dumps(config))
    put(tmp_path, "log/a.csv", GOOD)
    found = answered(tmp_path, model="Llama-3.2-1B")
    assert found[case_check.TITLE]["numbers"]["num_refused"] == 1
    assert found[case_plan.TITLE]["numbers"]["max_lora_rank"] == [16]


def test_ten_thousand_adapters_are_looked_at_in_part(tmp_path):
    for number in range(10_000):
        folder = tmp_path / "adapters" / f"a{number:05}"
        folder.mkdir(parents=True)
        (folder / "adapter_config.json").write_text(ADAPTER)
    began = time.process_time()
    block = answered(tmp_path, model="Llama-3.2-1B")[case_check.TITLE]
    assert time.process_time() - began < 20
    assert any("Of 10,000 folders the first 400" in s for s in block["text"])
    assert len(block["table"]["rows"]) == case_check.MOST_ROWS


NAMES = [SCRIPT, "\u202eabc", "a" * 1000, "\ud800", "é\x1b[2J",
         '"><svg/onload=x>', "'; rm -rf /", "名前", "&amp;"]  # fmt: skip


def test_names_of_tenants_are_text_everywhere(tmp_path):
    rows = [
        json.dumps({"time": 1e9 + k, "model": name, "prompt_tokens": 5,
                    "completion_tokens": 6})
        for k, name in enumerate(NAMES)
    ]  # fmt: skip
    put(tmp_path, "log/a.jsonl", "\n".join(rows))
    found = answered(tmp_path, model="Llama-3.2-1B", card="24")
    assert found[case_log.TRAFFIC]["numbers"]["num_tenants"] == len(NAMES)
    for block in found.values():
        for row in (block["table"] or {"rows": []})["rows"]:
            assert len(row[0]) <= 200
            assert all(text.isprintable() for text in row)
        if block["svg"]:
            assert "<script" not in block["svg"] and "onload=x>" not in (
                block["svg"].replace("&gt;", "")
            )
    assert found[case_plan.TITLE]["code"]


def test_a_name_of_a_megabyte_is_refused_and_counted(tmp_path):
    put(tmp_path, "log/a.csv", f"{GOOD}1000000002,{'x' * 2**20},5,6\n")
    found = answered(tmp_path)[case_log.TRAFFIC]
    assert found["numbers"]["num_skipped"] == 1
    assert any("first in line 4" in said for said in found["text"])


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"model": "no such"}, case_base.SHAPE),
        ({"model": "Llama-3.2-1B", "card": "none"}, case_base.MEMORY),
        ({"model": "Llama-3.2-1B", "card": "9" * 400}, case_base.MEMORY),
        ({"model": "Llama-3.2-1B", "card": "1"}, case_plan.TITLE),
        (
            {"model": "Llama-3.2-1B", "tensor_parallel_size": 7},
            case_base.MEMORY,
        ),
        ({"prompt_default": -1}, case_log.TRAFFIC),
        ({"prompt_default": "x"}, case_log.TRAFFIC),
        ({"time_column": "who"}, case_log.TRAFFIC),
        ({"time_column": 5}, case_log.TRAFFIC),
    ],
)
def test_an_option_that_fits_nothing_is_told_where_it_is_needed(
    options, named, tmp_path
):
    put(tmp_path, "log/a.csv", GOOD)
    block = answered(tmp_path, **options)[named]
    assert block["table"] is None and len(block["text"]) == 1


@settings(
    max_examples=60, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(
    config=st.binary(max_size=200) | st.text(max_size=200),
    log=st.binary(max_size=300) | st.text(max_size=300),
    adapter=st.binary(max_size=200),
    weights=st.binary(max_size=200),
)
def test_rubbish_of_any_kind_is_told(config, log, adapter, weights, tmp_path):
    put(tmp_path, "config/config.json", _bytes(config))
    put(tmp_path, "log/a", _bytes(log))
    put(tmp_path, "adapters/a/adapter_config.json", adapter)
    put(tmp_path, "adapters/a/adapter_model.safetensors", weights)
    found = answered(tmp_path)
    assert found[case_check.TITLE]["numbers"]["num_refused"] == 1


def _bytes(content):
    if isinstance(content, bytes):
        return content
    return content.encode("utf-8", "surrogatepass")


KEYS = st.sampled_from(sorted(CONFIG))
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**9), 10**9),
    st.text(max_size=9),
    st.floats(), st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=3),
)  # fmt: skip


@settings(
    max_examples=60, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(changed=st.dictionaries(KEYS, VALUES, min_size=1, max_size=4))
def test_any_field_of_a_config_may_be_anything(changed, tmp_path):
    put(tmp_path, "config/config.json", json.dumps({**CONFIG, **changed}))
    answered(tmp_path)


def test_nothing_at_all_is_a_sentence(tmp_path):
    found = answered(tmp_path / "none")
    assert list(found) == [case_plan.TITLE]
    assert "a base" in found[case_plan.TITLE]["text"][0]
    assert model_shape("Llama-3.2-1B").num_layers == 16
