"""The same batch through PEFT and through vLLM's CPU ops, in their words.

Needs the engine's environment. Each function takes a Case and a Stopwatch
that is to run during the base matmul, and returns {name: callable}.
"""

from grouped_case import SCALING
from multilora.matmul.segments import segments_of


def by_peers(case, stopwatch):
    """Both of them."""
    return by_peft(case, stopwatch) | by_vllm(case, stopwatch)


def by_torch(case, stopwatch):
    """Torch's base matmul alone."""
    import torch

    x, W = torch.from_numpy(case.x), torch.from_numpy(case.W)
    linear = stopwatch.around(torch.nn.functional.linear)
    return {"torch alone": lambda: linear(x, W)}


def by_peft(case, stopwatch):
    """PEFT's own layer on a mixed batch, called without its model."""
    import torch
    from peft import LoraConfig, get_peft_model

    width, rank = case.W.shape[1], case.A.shape[1]
    config = LoraConfig(
        r=rank, lora_alpha=SCALING * rank, target_modules=["0"]
    )
    linear = torch.nn.Linear(width, width, bias=False)
    model = get_peft_model(torch.nn.Sequential(linear), config, "0")
    for name in range(1, len(case.A)):
        model.add_adapter(str(name), config)
    layer = model.eval().base_model.model[0]
    layer.base_layer.weight.data = torch.from_numpy(case.W)
    for name, (A, B) in enumerate(case.pairs):
        layer.lora_A[str(name)].weight.data = torch.from_numpy(A)
        layer.lora_B[str(name)].weight.data = torch.from_numpy(B)
    layer.base_layer.forward = stopwatch.around(layer.base_layer.forward)
    x, names = torch.from_numpy(case.x), [str(name) for name in case.ids]
    return {"PEFT": lambda: layer(x, adapter_names=names)}


def by_vllm(case, stopwatch):
    """vLLM's CPU wrapper over its torch ops: decode's bgmv, prefill's sgmv.

    sgmv gets sorted rows. The rows' metadata is set once, as once a step.
    """
    import torch

    segments = segments_of(case.ids)
    x, W = torch.from_numpy(case.x), torch.from_numpy(case.W)
    ordered = torch.from_numpy(segments.sort(case.x))
    # A slot's stack as the engine holds it: (slots, 1, rank, in).
    stacks = [(torch.from_numpy(m[:, None]),) for m in (case.A, case.B)]
    bgmv = _punica(case.ids, len(case.A), is_prefill=False)
    sgmv = _punica(segments.sort(case.ids), len(case.A), is_prefill=True)

    linear = stopwatch.around(torch.nn.functional.linear)

    def run(punica, x):
        y = linear(x, W)
        punica.add_lora_linear(y, x, *stacks, SCALING, (len(W),))
        return y

    return {
        "vLLM bgmv": lambda: run(bgmv, x),
        "vLLM sgmv": lambda: run(sgmv, ordered),
    }


def _punica(ids, num_adapters, is_prefill):
    import torch
    from vllm.lora.layers import LoRAMapping
    from vllm.lora.punica_wrapper.punica_cpu import PunicaWrapperCPU

    punica = PunicaWrapperCPU(len(ids), len(ids), torch.device("cpu"))
    named = tuple((ids + 1).tolist())  # vLLM's id 0 is the base
    mapping = LoRAMapping(named, named, is_prefill=is_prefill)
    slots = list(range(1, num_adapters + 1))
    punica.update_metadata(mapping, slots, num_adapters, vocab_size=0)
    return punica
