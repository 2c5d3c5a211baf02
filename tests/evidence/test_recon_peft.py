"""Lab 01's math against PEFT's own layer."""

import numpy as np
import pytest

from multilora.matmul.lora import apply_batched, lora_delta
from multilora.matmul.operands import BASE
from multilora.matmul.rounding import UNIT_ROUNDOFF, delta_error_bound
from random_layers import DTYPES, IN, NUM_BATCHES, OUT, RANK, ROWS, drawn

pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings("ignore")]


@pytest.mark.parametrize("dtype", DTYPES)
def test_lora_delta_is_pefts(dtype, findings):
    import torch
    from peft import LoraConfig, get_peft_model

    share = 0.0
    rng = np.random.default_rng(11)
    for alpha in (8, 16, 3):
        model = torch.nn.Sequential(torch.nn.Linear(IN, OUT, bias=False))
        config = LoraConfig(r=RANK, lora_alpha=alpha, target_modules=["0"])
        model = get_peft_model(
            model.to(getattr(torch, dtype)), config,
            autocast_adapter_dtype=False,
        )  # fmt: skip
        layer = model.base_model.model[0]
        x, A, B = (
            drawn(rng, dtype, *shape)
            for shape in ((ROWS, IN), (RANK, IN), (OUT, RANK))
        )
        with torch.no_grad():
            layer.base_layer.weight.zero_()
            layer.lora_A["default"].weight.copy_(A[0])
            layer.lora_B["default"].weight.copy_(B[0])
            theirs = model(x[0]).to(torch.float64).numpy()
        ours = lora_delta(x[1], A[1], B[1], alpha / RANK)
        allowed = delta_error_bound(x[1], A[1], B[1], alpha / RANK, dtype)
        allowed += 2 * UNIT_ROUNDOFF[dtype] * (np.abs(ours) + allowed)
        assert np.all(np.abs(ours - theirs) <= allowed)
        share = max(share, (np.abs(ours - theirs) / allowed).max())
    assert share > 1e-4
    findings.add(
        key=f"PEFT, {dtype}",
        claim=f"the delta alone against PEFT's layer, {dtype}",
        ours="matmul.lora.lora_delta",
        vllm="peft/tuners/lora/layer.py Linear",
        cases=3 * ROWS * OUT,
        difference=share,
        allowed=1,
        unit="share of the rounding bound",
    )


@pytest.mark.parametrize("dtype", DTYPES)
def test_apply_batched_is_pefts_mixed_batch(dtype, findings):
    """PEFT's adapter_names: a name a row, "__base__" for the base."""
    import torch
    from peft import LoraConfig, get_peft_model

    rng, share, names = np.random.default_rng(13), 0.0, list("abc")
    config = LoraConfig(r=RANK, lora_alpha=2 * RANK, target_modules=["0"])
    model = torch.nn.Sequential(torch.nn.Linear(IN, OUT, bias=False))
    model = get_peft_model(
        model.to(getattr(torch, dtype)), config, "a",
        autocast_adapter_dtype=False,
    )  # fmt: skip
    for name in names[1:]:
        model.add_adapter(name, config, autocast_adapter_dtype=False)
    model.eval()
    layer = model.base_model.model[0]
    W = drawn(rng, dtype, OUT, IN)
    adapters = []
    with torch.no_grad():
        layer.base_layer.weight.copy_(W[0])
        for name in names:
            A, B = drawn(rng, dtype, RANK, IN), drawn(rng, dtype, OUT, RANK)
            layer.lora_A[name].weight.copy_(A[0])
            layer.lora_B[name].weight.copy_(B[0])
            adapters.append((A[1], B[1]))
    for _ in range(NUM_BATCHES):
        x, ids = drawn(rng, dtype, ROWS, IN), rng.integers(BASE, 3, ROWS)
        named = [names[i] if i != BASE else "__base__" for i in ids]
        with torch.no_grad():
            theirs = model(x[0], adapter_names=named).to(torch.float64).numpy()
        ours = apply_batched(x[1], W[1], adapters, ids, [2.0] * 3)
        allowed = np.array([
            np.zeros(OUT) if i == BASE
            else delta_error_bound(x[1][[row]], *adapters[i], 2.0, dtype)[0]
            for row, i in enumerate(ids)
        ])  # fmt: skip
        # The base's own sum, and two values stored on the way to y.
        size = np.abs(x[1]) @ np.abs(W[1]).T
        unit = UNIT_ROUNDOFF[dtype]
        allowed += 1.01 * IN * UNIT_ROUNDOFF["float32"] * size
        allowed += unit * (2 * np.abs(x[1] @ W[1].T) + 2 * np.abs(ours))
        assert np.all(np.abs(ours - theirs) <= allowed)
        share = max(share, (np.abs(ours - theirs) / allowed).max())
    assert share > 1e-4
    findings.add(
        key=f"PEFT mixed, {dtype}",
        claim=f"a mixed batch with base rows against PEFT's own, {dtype}",
        ours="matmul.lora.apply_batched",
        vllm="peft/tuners/lora/layer.py Linear._mixed_batch_forward",
        cases=NUM_BATCHES * ROWS * OUT,
        difference=share,
        allowed=1,
        unit="share of the rounding bound",
    )
