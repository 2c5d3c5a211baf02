"""What vLLM's own loader does with an adapter, on a base without weights."""

from vllm_models import ask


def load(cases, timeout=600):
    """Return, for each case, what vLLM does with each of its adapters.

    A case is {"config": a config.json as a dict, "folders": paths,
    "max_lora_rank": 64}. An answer is {"error": None or vLLM's sentence,
    "modules": {vLLM's name of a module in the file: whether it is applied},
    "scalings": {name: scale}} for each folder; a base that vLLM does not
    build gives {"error": its traceback} instead.
    """
    found = ask(cases, timeout=timeout, module="loading")
    return [answer.get("folders", answer) for answer in found]
