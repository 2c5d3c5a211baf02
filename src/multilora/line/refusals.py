"""What vLLM refuses at the start, however much memory there is."""

from pathlib import Path

from multilora.adapters.folders import rank_in
from multilora.adapters.foreign import AdapterError
from multilora.line.read import ServeLine
from multilora.models.shapes import ModelShape

# RoPE that leaves max_position_embeddings as the longest request; others
# lengthen it, in ways that differ by version.
_PLAIN_ROPE = (None, "default", "llama3")
_ALLOWS_LONGER = "VLLM_ALLOW_LONG_MAX_MODEL_LEN"


def refusals(line: ServeLine, shape: ModelShape) -> list[str]:
    """Return a sentence for each setting that vLLM refuses at the start.

    Adapters of --lora-modules are looked at where their folders are here.
    Source: vLLM 0.32.0, LoRAConfig, SchedulerConfig, _get_and_verify_max_len
    and init_static_loras.
    """
    found = []
    options = line.options
    if line.lora_modules and line.max_loras is None:
        found.append(
            "--lora-modules names adapters, but --enable-lora is not there: "
            "vLLM cannot load them and ends"
        )
    host = line.max_cpu_loras
    if line.max_loras and host is not None and host < line.max_loras:
        found.append(
            f"--max-cpu-loras is {host}, but must be at least --max-loras = "
            f"{line.max_loras}"
        )
    batched = options.get("max_num_batched_tokens")
    sequences = options.get("max_num_seqs")
    if batched and sequences and batched < sequences:
        found.append(
            f"--max-num-batched-tokens is {batched}, but must be at least "
            f"--max-num-seqs = {sequences}"
        )
    found += _too_long(line, shape)
    return found + _too_high_ranks(line)


def _too_long(line: ServeLine, shape):
    longest = line.options.get("max_model_len")
    own = shape.max_position_embeddings
    allowed = line.environment.get(_ALLOWS_LONGER, "0") not in ("0", "")
    if not longest or not own or longest <= own or allowed:
        return []
    if not _is_plain(shape.config):
        return []
    return [
        f"--max-model-len is {longest:,}, but the config allows {own:,} "
        f"(max_position_embeddings); vLLM takes more only with "
        f"{_ALLOWS_LONGER}=1"
    ]


def _is_plain(config):
    """Whether nothing in a config lengthens what RoPE reaches."""
    inner = config.get("text_config")
    for scope in (config, inner if isinstance(inner, dict) else {}):
        if "model_max_length" in scope:
            return False
        for name in ("rope_scaling", "rope_parameters"):
            rope = scope.get(name) or {}
            kind = rope.get("rope_type", rope.get("type"))
            if kind not in _PLAIN_ROPE:
                return False
    return True


def _too_high_ranks(line: ServeLine):
    found = []
    for name, path in line.lora_modules if line.max_loras else ():
        try:
            rank = rank_in(Path(path).expanduser())
        except (AdapterError, OSError, RuntimeError):
            continue  # not here, or for `multilora check` to say
        if rank > line.max_lora_rank:
            found.append(
                f"adapter {name} has rank {rank}, above --max-lora-rank = "
                f"{line.max_lora_rank}: vLLM ends when it loads it"
            )
    return found
