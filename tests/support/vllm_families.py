"""vLLM's answers for the small configs, in the form of small_models'."""

import vllm_models
from small_models import MAX_LORA_RANK, MAX_LORAS, SMALL, counted, starts

KINDS = {  # vLLM's KV specs, as pages name them
    "ChunkedLocalAttentionSpec": "chunked",
    "FullAttentionSpec": "full",
    "MLAAttentionSpec": "full",
    "MambaSpec": "state",
    "SlidingWindowSpec": "sliding",
}
WINDOWS = {
    "chunked": "attention_chunk_size",
    "sliding": "sliding_window",
}
SLOTS = {"max_loras": MAX_LORAS, "max_lora_rank": MAX_LORA_RANK}
KV_WAYS = "one GPU", "two GPUs"


def ask_all(configs=SMALL, timeout=1200):
    """Return {name: {way to start: vLLM's whole answer}}, asked at once."""
    cases = [
        (name, way, {"config": config, **SLOTS, **options})
        for name, config in configs.items()
        for way, options in starts(config).items()
    ]
    answers = vllm_models.ask([case for *_, case in cases], timeout=timeout)
    found = {name: {} for name in configs}
    for (name, way, _), answer in zip(cases, answers, strict=True):
        found[name][way] = answer
    return found


def errors(answers):
    """Return {(name, way): what went wrong} of ask_all's answers."""
    return {
        (name, way): (answer["error"] or answer["refused"] or "")[-300:]
        for name, ways in answers.items()
        for way, answer in ways.items()
        if not answer.get("slots") or not answer.get("kv")
    }


def by_vllm(ways):
    """Return one config's answers in the form of small_models.by_library."""
    kept = {way: layers(ways[way]) for way in KV_WAYS}
    return {
        "weight_bytes": {
            way: answer["weights"]["bytes"]
            for way, answer in ways.items()
            if way not in ("some modules", "two GPUs, slots cut")
        },
        "slot_bytes": {
            way: answer["slots"]["bytes"] for way, answer in ways.items()
        },
        "kv_bytes_per_token": {
            way: sum(bytes_of for *_, bytes_of in found)
            for way, found in kept.items()
        },
        "kept": {
            way: counted(row[:-1] for row in found)
            for way, found in kept.items()
        },
    }


def layers(answer):
    """Return (kind, tokens of a block, its bytes, window, bytes a token)."""
    found = []
    for spec in answer["kv"]["layers"].values():
        if "kind" not in spec:  # it reads the keys and values of another
            continue
        kind = KINDS[spec["kind"]]
        size, page = spec["block_size"], spec["page_bytes"]
        window = spec.get(WINDOWS.get(kind)) or 0
        per_token = 0 if kind == "state" else page // size
        found.append((kind, size, page, window, per_token))
    return found


def slots_by_name(answer):
    """Return {last part of a module's name: bytes of its slots}."""
    found = {}
    for name, (_, num_bytes, _) in answer["slots"]["modules"].items():
        last = name.rpartition(".")[2]
        found[last] = found.get(last, 0) + num_bytes
    return found
