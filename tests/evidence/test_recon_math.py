"""Lab 01's math against vLLM's ops."""

import numpy as np
import pytest

from multilora.matmul.lora import apply_batched, lora_delta
from multilora.matmul.operands import BASE
from multilora.matmul.rounding import UNIT_ROUNDOFF, delta_error_bound
from random_layers import DTYPES, IN, NUM_BATCHES, OUT, RANK, ROWS, drawn

pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings("ignore")]

SLOTS = 4


def batches(dtype, with_base):
    """Random batches: (torch, numpy) operands of one layer, slots of rows."""
    rng = np.random.default_rng(10)
    for _ in range(NUM_BATCHES):
        x, W = drawn(rng, dtype, ROWS, IN), drawn(rng, dtype, OUT, IN)
        A = drawn(rng, dtype, SLOTS, 1, RANK, IN)
        B = drawn(rng, dtype, SLOTS, 1, OUT, RANK)
        if with_base:  # the CPU ops hand base rows the last slot's delta
            for matrix in (A, B):
                matrix[0][-1] = 0
                matrix[1][-1] = 0
        low, high = (BASE, SLOTS - 1) if with_base else (0, SLOTS)
        yield x, W, A, B, rng.integers(low, high, ROWS)


def by_vllm(x, A, B, y, slots):
    """What PunicaWrapperCPU.add_lora_linear does to y, on its own ops."""
    import torch
    from vllm.lora.ops.torch_ops import bgmv_expand, bgmv_shrink

    slots = torch.tensor(slots)
    buffer = torch.zeros((len(x), RANK), dtype=torch.float32)
    bgmv_shrink(x, A, buffer, slots, 1.0)
    bgmv_expand(buffer, B, y, slots, add_inputs=True)
    return y.to(torch.float64).numpy()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("with_base", [False, True], ids=["all", "base rows"])
def test_apply_batched_is_vllms_shrink_and_expand(dtype, with_base, findings):
    share = 0.0
    for x, W, A, B, slots in batches(dtype, with_base):
        base = x[1] @ W[1].T
        adapters = [(A[1][k, 0], B[1][k, 0]) for k in range(SLOTS)]
        ours = apply_batched(x[1], W[1], adapters, slots, [1.0] * SLOTS)
        import torch

        y = torch.tensor(base).to(getattr(torch, dtype))
        theirs = by_vllm(x[0], A[0], B[0], y, slots)
        allowed = np.zeros_like(base)
        for row, slot in enumerate(slots):
            if slot != BASE:
                allowed[row] = delta_error_bound(
                    x[1][row : row + 1], *adapters[slot], 1.0, dtype
                )
        # y itself is rounded to dtype on the way in and after the sum.
        unit = UNIT_ROUNDOFF[dtype]
        allowed += unit * (np.abs(base) + 2 * np.abs(ours) + allowed)
        assert np.all(np.abs(ours - theirs) <= allowed)
        share = max(share, (np.abs(ours - theirs) / allowed).max())
    assert share > 1e-4  # a bound that nothing comes near proves nothing
    rows = "base rows beside a last slot of zeros" if with_base else "all rows"
    findings.add(
        key=f"ops, {dtype}, {rows}",
        claim=f"base plus delta of a mixed batch, {dtype}, {rows}",
        ours="matmul.lora.apply_batched",
        vllm="bgmv_shrink",
        cases=NUM_BATCHES * ROWS * OUT,
        difference=share,
        allowed=1,
        unit="share of the rounding bound",
    )


@pytest.mark.parametrize("dtype", DTYPES)
def test_base_rows_still_get_the_last_slots_delta(dtype, findings):
    """If this fails, upstream has mended the CPU ops (pull request 48421).

    Then drop the spare slot of engine.start and say so in lab 02.
    """
    import torch

    ((x, _, A, B, _), *_) = batches(dtype, with_base=False)
    slots = np.full(ROWS, BASE)
    zero = torch.zeros((ROWS, OUT), dtype=x[0].dtype)
    wrong = by_vllm(x[0], A[0], B[0], zero, slots)
    last = lora_delta(x[1], A[1][-1, 0], B[1][-1, 0], 1.0)
    mended = "vLLM's CPU ops mask base rows now: see this test's docstring"
    assert np.abs(wrong).max() > 1, mended
    allowed = delta_error_bound(x[1], A[1][-1, 0], B[1][-1, 0], 1.0, dtype)
    allowed += UNIT_ROUNDOFF[dtype] * (np.abs(last) + allowed)
    assert np.all(np.abs(wrong - last) <= allowed), mended
    findings.add(
        key=f"defect, {dtype}",
        claim="the CPU ops' defect is still there: a base row gets exactly "
        f"the last slot's delta, {dtype}",
        ours="matmul.lora.lora_delta",
        vllm="bgmv_expand",
        cases=ROWS * OUT,
        difference=(np.abs(wrong - last) / allowed).max(),
        allowed=1,
        unit="share of the rounding bound",
    )


def test_ids_become_slot_indices(findings):
    """Id 0 is the base and becomes -1; slot 0 is a real slot."""
    import torch
    from vllm.lora.layers import LoRAMapping
    from vllm.lora.punica_wrapper.utils import convert_mapping
    from vllm.lora.request import LoRARequest

    from multilora.cache.tiers import AdapterTiers

    rng, cases = np.random.default_rng(12), 0
    tiers = AdapterTiers(4)
    for _ in range(100):
        distinct = rng.choice(np.arange(1, 9), 4, replace=False).tolist()
        slot_of = tiers.activate_step(distinct)
        rows = rng.choice([0, *distinct], 16).tolist()
        mapping = LoRAMapping(tuple(rows), tuple(rows), is_prefill=True)
        indices, *_ = convert_mapping(
            mapping, tiers.slots, 4, 100, torch.device("cpu")
        )
        assert indices.tolist() == [slot_of.get(i, BASE) for i in rows]
        cases += len(rows)
    assert 0 in slot_of.values()
    with pytest.raises(ValueError, match="id must be > 0"):
        LoRARequest("base", 0, "nowhere")
    findings.add(
        key="indices",
        claim="an adapter's id becomes its slot, the base's 0 becomes -1, "
        "and slot 0 is a slot like any other",
        ours="cache.tiers.AdapterTiers.activate_step",
        vllm="convert_mapping",
        cases=cases,
        unit="rows that differ",
    )
