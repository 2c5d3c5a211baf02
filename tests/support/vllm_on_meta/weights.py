"""What a model's weights, buffers and other tensors take."""

import traceback
from functools import partial

import torch
from vllm.model_executor.layers.fused_moe.fused_moe_method_base import (
    FusedMoEMethodBase,
)
from vllm.model_executor.layers.quantization.base_config import (
    QuantizeMethodBase,
)
from vllm.model_executor.model_loader.utils import is_deferred_attention_layer

from vllm_on_meta.device import OnMeta


def _row(name, tensor):
    kind = str(tensor.dtype).removeprefix("torch.")
    return [name, list(tensor.shape), kind, tensor.nbytes]


def parameters(model):
    """Return the number, the bytes and the rows of a model's parameters.

    A row is [name, shape, type, bytes].
    """
    rows = [_row(*item) for item in model.named_parameters()]
    return {
        "num_parameters": sum(p.numel() for p in model.parameters()),
        "bytes": sum(row[-1] for row in rows),
        "tensors": rows,
    }


def _memory(tensors):
    """Return the bytes of the memory behind tensors, each piece once."""
    pieces = [tensor.untyped_storage() for tensor in tensors]
    return sum({piece._cdata: piece.nbytes() for piece in pieces}.values())


def buffers(model):
    """Return a row for each buffer, and whether a checkpoint has it."""
    kept = model.state_dict().keys()
    return [
        [*_row(name, tensor), name in kept]
        for name, tensor in model.named_buffers()
    ]


def _other_tensors(model):
    """Tensors that are attributes of modules, neither weight nor buffer."""
    seen, rows = set(), []
    for name, module in model.named_modules():
        for key, value in vars(module).items():
            if isinstance(value, torch.Tensor) and id(value) not in seen:
                seen.add(id(value))
                rows.append(_row(f"{name}.{key}", value))
    return rows


def finish(model, dtype):
    """Have vLLM bring the weights into the form that its kernels take.

    The experts' kernels, which carry the adapters, are made here too. Return
    what changed, and what on the meta device did not finish, and why.
    """
    before = {row[0]: row for row in parameters(model)["tensors"]}
    kernels, unfinished = {}, {}
    for name, module, run in _to_finish(model, dtype):
        try:
            with torch.device("meta"), OnMeta():
                run()
        except Exception as error:
            lines = traceback.format_exception(error)[-4:]
            unfinished[name] = "".join(lines)
        if isinstance(method := _method(module), FusedMoEMethodBase):
            kernels[name] = _kernel(method)
    after = parameters(model)
    names = {row[0] for row in after["tensors"]}
    return {
        "bytes": _memory(model.parameters()),
        "changed": [r for r in after["tensors"] if before.get(r[0]) != r],
        "gone": sorted(before.keys() - names),
        "other_tensors": _other_tensors(model),
        "experts": kernels,
        "unfinished": unfinished,
    }


def _to_finish(model, dtype):
    """Yield (name, module, what finishes it): attention after the rest."""
    for name, module in model.named_modules():
        method = _method(module)
        if isinstance(method, QuantizeMethodBase):
            run = method.process_weights_after_loading
            yield name, module, partial(run, module)
    for name, module in model.named_modules():
        if is_deferred_attention_layer(module):
            run = module.process_weights_after_loading
            yield name, module, partial(run, dtype)


def _method(module):
    return getattr(module, "quant_method", None)


def _kernel(method):
    experts = getattr(method.moe_kernel, "fused_experts", None)
    return [type(method).__name__, type(experts).__name__]
