"""Record how each of vLLM's classes renames the modules of a checkpoint.

Run by `make vllm-names` in the engine's environment; writes
src/multilora/data/vllm_names.json. Only what can change the name of an
adapter's module is kept.
"""

import json
from pathlib import Path

from vllm_on_meta.gpu import pretend

DATA = Path(__file__).parents[1] / "src/multilora/data/vllm_names.json"
GPU = "H100"  # that vLLM is made to see: its CPU build lacks some classes
ENDINGS = (".lora_A.weight", ".lora_B.weight", ".lora_embedding_A")


def renames(cls):
    """Return {kind: {old: new}} of a class, without what changes no name."""
    mapper = getattr(cls, "hf_to_vllm_mapper", None)
    if mapper is None or not hasattr(mapper, "get_rename_mapper"):
        return {}
    mapper = mapper.get_rename_mapper()
    found = {}
    for kind in ("regex", "substr", "prefix", "suffix"):
        rules = {
            getattr(old, "pattern", old): new
            for old, new in getattr(mapper, f"orig_to_new_{kind}").items()
        }
        if kind == "suffix":
            rules = {
                old: new
                for old, new in rules.items()
                if any(ending.endswith(old) for ending in ENDINGS)
            }
        if rules:
            found[kind] = rules
    return found


def main():
    pretend(GPU)
    import vllm
    from vllm.model_executor.models import registry
    from vllm.model_executor.models.interfaces import supports_lora

    found, missed = {}, {}
    for name, model in sorted(registry.ModelRegistry.models.items()):
        try:
            cls = model.load_model_cls()
        except Exception as error:
            missed[name] = f"{type(error).__name__}: {error}"
            continue
        if supports_lora(cls):
            rules = renames(cls)
            if skipped := getattr(cls, "lora_skip_prefixes", None):
                rules["skip"] = list(skipped)
            found[name] = rules
    for name, why in missed.items():
        print(f"left out: {name}, {why[:90]}")
    content = {
        "source": "hf_to_vllm_mapper and lora_skip_prefixes of each class "
        "that supports LoRA, read by tools/vllm_names.py",
        "vllm_version": vllm.__version__.split("+")[0],
        "classes": found,
    }
    DATA.write_text(json.dumps(content, indent=1) + "\n")
    print(len(found), "classes")


if __name__ == "__main__":
    main()
