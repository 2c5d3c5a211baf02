"""eval_diff against a plain loop, and the tables of the choir."""

import shutil
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from multilora import tenants
from multilora.adapters.check import AdapterError
from multilora.adapters.checkpoints import base_fingerprint, tensors
from multilora.adapters.diff import EvalDiff, eval_diff
from multilora.adapters.merged import write_merged
from multilora.adapters.misfits import make_misfit
from multilora.evidence import ladder
from multilora.matmul.lora import apply_single, merge_weights
from multilora.models.shapes import ModelShape
from multilora.tenants import corpus, folder_of
from multilora.tenants.accuracy import accuracy, tag_matrix


class Said(NamedTuple):
    token_ids: tuple
    logprobs: tuple


replies = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from([-0.5, -0.25, -2.0])),
    max_size=5,
).map(
    lambda pairs: Said(
        tuple(token for token, _ in pairs), tuple(p for _, p in pairs)
    )
)
runs = st.lists(st.tuples(replies, replies), min_size=1, max_size=6)


@given(runs)
def test_eval_diff_is_the_plain_loop(pairs):
    left, right = map(list, zip(*pairs, strict=True))
    first, largest = {}, 0.0
    for number, (one, two) in enumerate(pairs):
        for place in range(max(len(one.token_ids), len(two.token_ids))):
            here = one.token_ids[place : place + 1]
            if here != two.token_ids[place : place + 1]:
                first[number] = place
                break
            gap = abs(one.logprobs[place] - two.logprobs[place])
            largest = max(largest, gap)
    wanted = EvalDiff(len(pairs), len(pairs) - len(first), first, largest)
    assert eval_diff(left, right) == wanted
    assert eval_diff(right, left) == wanted


@given(st.integers(1, 4), st.integers(0, 99))
def test_a_merged_layer_is_base_plus_adapter(rank, seed):
    rng = np.random.default_rng(seed)
    x, W, A, B = (
        rng.integers(-3, 4, shape).astype(float)
        for shape in ((5, 6), (7, 6), (rank, 6), (7, rank))
    )
    merged = merge_weights(W, A, B, 2.0)
    np.testing.assert_array_equal(x @ merged.T, apply_single(x, W, A, B, 2.0))


def test_the_merged_model_differs_only_in_the_adapted_layers(tmp_path):
    base = folder_of("base")
    folder = write_merged(base, folder_of("sql"), tmp_path / "merged")
    merged = load_file(folder / "model.safetensors")
    before = tensors(base / "model.safetensors")
    adapted = {
        key.removeprefix("base_model.model.").split(".lora_")[0] + ".weight"
        for key in tensors(folder_of("sql") / "adapter_model.safetensors")
    }
    changed = {
        name
        for name, tensor in before.items()
        if not np.array_equal(tensor.values(), merged[name])
    }
    assert changed == adapted and len(adapted) == 14
    assert ModelShape.from_config(folder).num_params == 352_896
    assert (folder / "tokenizer.json").is_file()


def test_an_adapter_that_does_not_fit_is_not_merged(tmp_path):
    bad = make_misfit("NaN weights", folder_of("sql"), tmp_path / "bad")
    with pytest.raises(AdapterError, match="NaN"):
        write_merged(folder_of("base"), bad, tmp_path / "merged")
    assert not (tmp_path / "merged").exists()


def test_what_cannot_be_merged_is_refused_and_nothing_overwritten(tmp_path):
    base = shutil.copytree(folder_of("base"), tmp_path / "base")
    before = base_fingerprint(base)
    for folder in (base, tmp_path / "base/../base"):
        with pytest.raises(ValueError, match="would be overwritten"):
            write_merged(base, folder_of("sql"), folder)
    assert base_fingerprint(base) == before
    with_head = shutil.copytree(folder_of("sql"), tmp_path / "head")
    file = with_head / "adapter_model.safetensors"
    weights = load_file(file) | {
        "base_model.model.lm_head.lora_A.weight": np.ones((8, 128), "f4"),
        "base_model.model.lm_head.lora_B.weight": np.ones((192, 8), "f4"),
    }
    save_file(weights, file)
    with pytest.raises(AdapterError, match="head adapts lm_head"):
        write_merged(base, with_head, tmp_path / "merged")


def test_the_tag_matrix_counts_exact_answers():
    questions = corpus.held_out("unseen combinations", 10)
    said = {
        style: [corpus.answer(question, style) for question in questions]
        for style in ("base", "sql")
    }
    said["sql"][0] = "SELECT"
    matrix = tag_matrix(questions, said)
    assert matrix["base"] == {
        style: float(style == "base") for style in corpus.STYLES
    }
    assert matrix["sql"]["sql"] == 0.9


def test_wrong_runs_are_named():
    one = Said((1,), (-1.0,))
    for left, right, error, sentence in (
        ([], [], ValueError, "at least one"),
        ([one], [], ValueError, "consolidated has 0 replies"),
        ([one], None, TypeError, "consolidated is None"),
        ("a", [one], TypeError, "dedicated is 'a'"),
        ([3], [one], TypeError, "dedicated holds 3"),
        ([one], [Said((1, 2), (-1.0,))], ValueError, "2 tokens and 1 logprob"),
        ([one], [Said((1,), (float("nan"),))], ValueError, "logprob .* nan"),
        ([one], [Said((1,), (None,))], TypeError, "logprob .* None"),
    ):
        with pytest.raises(error, match=sentence):
            eval_diff(left, right)
    with pytest.raises(ValueError, match="replies has 0 entries"):
        accuracy([], "sql", [])
    with pytest.raises(TypeError, match="replies is None"):
        accuracy(corpus.held_out("unseen words", 1), "sql", None)
    with pytest.raises(TypeError, match="replies_by_tag is None"):
        tag_matrix([], None)
    with pytest.raises(TypeError, match="question is 3"):
        corpus.answer(3, "sql")
    with pytest.raises(TypeError, match="adapter is None"):
        write_merged(folder_of("base"), None, "somewhere")


def test_the_ladder_is_averaged_over_its_seeds():
    assert ladder.ladder_styles() == ["json", "sql"]
    for style in ladder.ladder_styles():
        table = ladder.ladder_table(style)
        assert [row["rank"] for row in table] == [1, 2, 4, 8, 16, 32]
        for row in table:
            assert 0 < row["lowest"] <= row["mean"] <= row["highest"] < 1
        size = [row["file_bytes"] for row in table]
        assert all(1.8 < b / a < 2.1 for a, b in pairwise(size))
    with pytest.raises(ValueError, match="style is 'klingon', allowed"):
        ladder.ladder_table("klingon")


def test_crossed_bases_are_recorded_for_every_tenant():
    crossed = tenants.record()["crossed"]
    assert list(crossed) == tenants.base_names()
    for rows in crossed.values():
        assert set(rows) == set(tenants.tenant_names())
    assert max(row["exact"] for row in crossed["base-reseeded"].values()) == 0
    assert min(row["exact"] for row in crossed["base"].values()) > 0.9
