"""The labs' contract: signatures, starters, and slips that are named."""

import hashlib
import importlib
import inspect
import os
import subprocess
import sys
from collections import OrderedDict

import numpy as np
import pytest

from multilora.adapters.checkpoints import tensors, weight_files
from multilora.cache.slots import AdapterSlotCache, schedule_step
from multilora.labs import NAMES, check
from multilora.labs.checks import grade_function, grade_lab, spec_tests
from multilora.labs.guards import bare_signature
from multilora.labs.spec_02 import Said
from multilora.labs.switch import library, starter

IS_CI = bool(os.environ.get("CI"))


def skip_if_attempted(lab):
    """These tests are about starters as they come, not about a learner's."""
    attempted = [
        item for item in grade_lab(lab) if item.verdict != "not attempted yet"
    ]
    if attempted and not IS_CI:
        pytest.skip(f"starter_{lab}.py holds your work; make grade LAB={lab}")


EVERY = [(lab, name) for lab, names in NAMES.items() for name in names]


@pytest.mark.parametrize(("lab", "name"), EVERY)
def test_starter_and_solution_share_a_signature(lab, name):
    skip_if_attempted(lab)
    mine, answer = starter(name), library(name)
    if not inspect.isclass(answer):
        assert bare_signature(mine) == bare_signature(answer)
        return
    for method in ("__init__", "activate"):
        assert bare_signature(getattr(mine, method)) == bare_signature(
            getattr(answer, method)
        )
    for name in ("hit_rate", "slots"):
        assert isinstance(inspect.getattr_static(mine, name), property)


@pytest.mark.parametrize("lab", NAMES)
def test_every_spec_test_fails_politely_on_the_starter(lab):
    skip_if_attempted(lab)
    for outcome in grade_lab(lab):
        assert outcome.verdict == "not attempted yet"
        assert outcome.reason.endswith("not attempted yet")


@pytest.mark.parametrize(("lab", "name"), EVERY)
def test_the_solution_passes(lab, name):
    assert check(library(name))


@pytest.mark.parametrize("lab", NAMES)
def test_each_test_names_the_functions_it_needs(lab):
    for test in spec_tests(lab):
        assert set(inspect.signature(test).parameters) <= set(NAMES[lab])


def swapped(x, A, B, scaling):
    return scaling * x @ B @ A


def scale_forgotten(x, A, B, scaling):
    return x @ A.T @ B.T


def no_delta(x, W, A, B, scaling):
    return x @ W.T


def _rows(x, W, adapters, ids, scalings, base=-1):
    y = x @ W.T
    for row, i in enumerate(ids):
        if i != base:
            if adapters[i] is not None:
                A, B = adapters[i]
                y[row] += scalings[i] * (B @ (A @ x[row]))
    return y


def off_by_one(x, W, adapters, adapter_ids, scalings):
    y = x @ W.T
    for row, i in enumerate(adapter_ids):
        if i != -1:
            A, B = adapters[(i + 1) % len(adapters)]
            y[row] += scalings[i] * (B @ (A @ x[row]))
    return y


def minus_one_picks_the_last(x, W, adapters, adapter_ids, scalings):
    return _rows(x, W, adapters, adapter_ids, scalings, base=None)


def base_for_each_row(x, W, adapters, adapter_ids, scalings):
    rows = [
        _rows(row[None], W, adapters, [i], scalings)
        for row, i in zip(x, adapter_ids, strict=True)
    ]
    return np.concatenate(rows)


def masked(x, W, adapters, adapter_ids, scalings):
    y = x @ W.T
    for i, adapter in enumerate(adapters):
        if adapter is not None:
            mask = (np.asarray(adapter_ids) == i)[:, None]
            y = y + mask * scalings[i] * (x @ adapter[0].T @ adapter[1].T)
    return y


def hands_back_groups(x, W, adapters, adapter_ids, scalings):
    y = _rows(x, W, adapters, adapter_ids, scalings)
    return y[np.argsort(adapter_ids, kind="stable")]


def divides_by_r(x, A, B, scaling):
    return scaling / A.shape[0] * (x @ A.T) @ B.T


def changes_x(x, W, adapters, adapter_ids, scalings):
    y = _rows(x, W, adapters, adapter_ids, scalings)
    x *= 1.5
    return y


def returns_one(x, W, adapters, adapter_ids, scalings):
    return 1.0


def returns_ragged(x, A, B, scaling):
    return [[1.0], [1.0, 2.0]]


def rounds_down(tenants, max_loras):
    return tenants - tenants // max_loras


def counts_only_a(in_features, out_features, rank):
    return in_features * rank


def counts_params(hidden, layers, rank, targets=4, bytes_per_param=2):
    return 2 * hidden * rank * targets * layers


def decimal(hidden, layers, rank, targets=4, bytes_per_param=2):
    size = counts_params(hidden, layers, rank, targets) * bytes_per_param
    return 10**9 / size


class NoCount(AdapterSlotCache):
    def activate(self, adapter_id):
        slot = super().activate(adapter_id)
        self.evictions = 0
        return slot


class FirstInFirstOut(AdapterSlotCache):
    def activate(self, adapter_id):
        order = OrderedDict(self._slot_of)
        was_there = adapter_id in order
        slot = super().activate(adapter_id)
        if was_there:
            self._slot_of = order
        return slot


class CountsTheBase(AdapterSlotCache):
    def activate(self, adapter_id):
        if adapter_id == -1:
            self.misses += 1
        return super().activate(adapter_id)


class SameSlot(AdapterSlotCache):
    def activate(self, adapter_id):
        slot = super().activate(adapter_id)
        return slot if slot < 0 else 0


def barrier(waiting, running, max_loras, max_num_seqs=None):
    _, deferred = schedule_step(waiting, running, max_loras, max_num_seqs)
    stop = waiting.index(deferred[0]) if deferred else len(waiting)
    return waiting[:stop], waiting[stop:]


def backwards(waiting, running, max_loras, max_num_seqs=None):
    admitted, deferred = schedule_step(
        waiting, running, max_loras, max_num_seqs
    )
    return admitted, deferred[::-1]


def base_is_an_adapter(waiting, running, max_loras, max_num_seqs=None):
    queue = [(name, 99 if a == -1 else a) for name, a in waiting]
    admitted, _ = schedule_step(queue, running, max_loras, max_num_seqs)
    names = {name for name, _ in admitted}
    return (
        [item for item in waiting if item[0] in names],
        [item for item in waiting if item[0] not in names],
    )


def forgets_running(waiting, running, max_loras, max_num_seqs=None):
    return schedule_step(waiting, [], max_loras, max_num_seqs)


def admits_nobody(waiting, running, max_loras, max_num_seqs=None):
    return [], []


def only_admitted(waiting, running, max_loras, max_num_seqs=None):
    return schedule_step(waiting, running, max_loras, max_num_seqs)[0]


def eats_the_queue(waiting, running, max_loras, max_num_seqs=None):
    result = schedule_step(waiting, running, max_loras, max_num_seqs)
    waiting.clear()
    return result


class DividesByZero(AdapterSlotCache):
    @property
    def hit_rate(self):
        return self.hits / (self.hits + self.misses)


class AlwaysSeven(AdapterSlotCache):
    @property
    def hit_rate(self):
        return 7.0 if self.hits else 0.0


class NoSlots(AdapterSlotCache):
    slots = ()


def rates(trace, num_adapters=None):
    return library("lru_hit_curve")(trace, num_adapters) / len(trace)


def counts_the_base(trace, num_adapters=None):
    num_adapters = num_adapters or len(set(trace))
    return library("lru_hit_curve")(trace, num_adapters)


def one_too_far(trace, num_adapters=None):
    curve = library("lru_hit_curve")(trace, num_adapters)
    return np.concatenate([[0], curve[:-1]])


def merges_without_scaling(W, A, B, scaling):
    return W + B @ A


def merges_in_place(W, A, B, scaling):
    W += scaling * (B @ A)
    return W


def zips_to_the_shorter(dedicated, consolidated):
    cut = [
        [
            Said(item.token_ids[:length], item.logprobs[:length])
            for item, length in zip(run, lengths, strict=True)
        ]
        for lengths in [
            [
                min(len(a.token_ids), len(b.token_ids))
                for a, b in zip(dedicated, consolidated, strict=True)
            ]
        ]
        for run in (dedicated, consolidated)
    ]
    return library("eval_diff")(*cut)


def compares_every_logprob(dedicated, consolidated):
    result = library("eval_diff")(dedicated, consolidated)
    gaps = [
        abs(a - b)
        for one, two in zip(dedicated, consolidated, strict=True)
        for a, b in zip(one.logprobs, two.logprobs, strict=False)
    ]
    return result._replace(max_logprob_difference=max(gaps))


def returns_a_tuple(dedicated, consolidated):
    return tuple(library("eval_diff")(dedicated, consolidated))


def hashes_the_file(folder):
    digest = hashlib.sha256()
    for path in weight_files(folder):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def hashes_values_only(folder):
    digest = hashlib.sha256()
    for path in weight_files(folder):
        for _, tensor in sorted(tensors(path).items()):
            digest.update(tensor.values().tobytes())
    return digest.hexdigest()


SLIPS = [
    ("merge_weights", merges_without_scaling, "the scaling is forgotten"),
    ("merge_weights", merges_in_place, "changed in place"),
    ("eval_diff", zips_to_the_shorter, "was counted as equal"),
    ("eval_diff", compares_every_logprob, "different tokens were compared"),
    ("eval_diff", returns_a_tuple, "return an EvalDiff"),
    ("base_fingerprint", hashes_the_file, "the sha256 of the file"),
    ("base_fingerprint", hashes_values_only, "not the sha256"),
    ("lora_delta", swapped, "A and B are swapped"),
    ("lora_delta", scale_forgotten, "the scaling is forgotten"),
    ("lora_delta", divides_by_r, "divided by r"),
    ("lora_delta", returns_ragged, "the result is a list"),
    ("apply_batched", changes_x, "changed in place"),
    ("apply_batched", returns_one, "the result is a float, but"),
    ("apply_single", no_delta, "the delta is missing"),
    ("apply_batched", off_by_one, "ids are off by one"),
    ("apply_batched", minus_one_picks_the_last, "base rows got the last"),
    ("apply_batched", base_for_each_row, "8 base matmuls for 1 adapters"),
    ("apply_batched", masked, "do not multiply by a mask"),
    ("apply_batched", hands_back_groups, "rows come back grouped"),
    ("lora_params_per_layer", counts_only_a, "only one of A and B"),
    ("adapter_bytes", counts_params, "each takes two bytes"),
    ("adapters_per_gib", decimal, "GB instead of GiB"),
    ("gpus_saved", rounds_down, "the 4 tenants left over"),
    ("AdapterSlotCache", NoCount, "evicting without counting"),
    (
        "AdapterSlotCache",
        FirstInFirstOut,
        "goes is the first in,",
    ),
    ("AdapterSlotCache", CountsTheBase, "the base was counted"),
    ("AdapterSlotCache", SameSlot, "two adapters in one slot"),
    ("schedule_step", barrier, "barrier instead of defer"),
    ("schedule_step", backwards, "came back in reverse"),
    ("schedule_step", base_is_an_adapter, "counts as an adapter"),
    ("schedule_step", forgets_running, "running requests were forgotten"),
    ("schedule_step", admits_nobody, "none may be lost"),
    ("schedule_step", only_admitted, "must be (admitted, deferred)"),
    ("schedule_step", eats_the_queue, "changed in place"),
    ("AdapterSlotCache", DividesByZero, "raised ZeroDivisionError"),
    ("AdapterSlotCache", AlwaysSeven, "hits over hits and misses"),
    ("AdapterSlotCache", NoSlots, "slots after 5 are"),
    ("lru_hit_curve", one_too_far, "off by one"),
    ("lru_hit_curve", rates, "are these rates?"),
    ("lru_hit_curve", counts_the_base, "the base is none of them"),
]


@pytest.mark.parametrize(
    ("name", "slip", "sentence"), SLIPS, ids=lambda value: str(value)[:40]
)
def test_a_known_slip_is_named(name, slip, sentence):
    outcomes = grade_function(name, slip)
    reasons = [item.reason for item in outcomes if item.verdict == "wrong"]
    assert any(sentence in reason for reason in reasons), reasons


def test_check_takes_a_function_from_a_cell(capsys):
    def my_saved(tenants, max_loras):
        return None

    assert not check(my_saved, name="gpus_saved")
    assert "not attempted yet" in capsys.readouterr().out
    with pytest.raises(ValueError, match="name is 'my_saved'"):
        check(my_saved)
    with pytest.raises(TypeError, match="function is 7"):
        check(7)


def test_a_function_that_raises_is_reported_not_raised(capsys):
    def gpus_saved(tenants, max_loras):
        return tenants / 0

    assert not check(gpus_saved)
    said = capsys.readouterr().out
    assert "raised ZeroDivisionError" in said
    assert "of test_labs.py" in said


def test_an_exit_in_a_learners_function_ends_nothing(capsys):
    def gpus_saved(tenants, max_loras):
        sys.exit(3)

    assert not check(gpus_saved)
    assert "raised SystemExit" in capsys.readouterr().out


def run(*arguments, **environment):
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        env=os.environ | environment,
    )


def test_the_switch_grades_the_starter_through_pytest(root):
    skip_if_attempted("03")
    result = run(
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        str(root / "tests/labs/test_lab_03.py"),
        LAB_IMPL="starter",
    )
    assert result.returncode == 1
    assert "6 failed" in result.stdout
    assert "gpus_saved: not attempted yet" in result.stdout
    assert "Traceback" not in result.stdout
    assert "spec_03.py" not in result.stdout


def test_the_grader_prints_a_score():
    skip_if_attempted("03")
    result = run("-m", "multilora.labs.grade", "3")
    assert result.returncode == 1
    assert "0 of 6 tests pass" in result.stdout
    assert result.stderr == ""
    unknown = run("-m", "multilora.labs.grade", "07")
    assert unknown.returncode == 1
    assert "lab is '07', allowed: '01', '02', '03', '04'" in unknown.stderr
    assert "Traceback" not in unknown.stderr


def test_a_notebook_says_whose_code_runs():
    skip_if_attempted("03")
    code = "from multilora.labs.lab03 import gpus_saved; gpus_saved(100, 8)"
    assert run("-c", code).stdout == ""
    learner = run("-c", code, LAB_IMPL="starter")
    assert "gpus_saved: not attempted yet, the library" in learner.stdout
    wrong = run("-c", code, LAB_IMPL="mine")
    assert "LAB_IMPL is 'mine', allowed: 'solution', 'starter'" in wrong.stderr


def test_a_starter_that_does_not_import_is_a_sentence(monkeypatch):
    tests = spec_tests("03")

    def broken(path):
        raise SyntaxError("line 7")

    monkeypatch.setattr("multilora.labs.checks.spec_tests", lambda lab: tests)
    monkeypatch.setattr(importlib, "import_module", broken)
    for outcome in grade_lab("03"):
        assert outcome.verdict == "wrong"
        assert "does not import: SyntaxError: line 7" in outcome.reason
