"""Adapters made for a small base, with random weights under PEFT's names."""

from multilora.adapters.keys import PREFIX
from multilora.adapters.layout import Layout, adapter_tensors
from multilora.adapters.made import write_adapter

RANK = 4
EACH = Layout(fused_experts=False)
FUSED = Layout(fused_experts=True)


def write(folder, sizes, **config):
    """Write an adapter of {key: shape}; config over the usual fields."""
    usual = {
        "peft_type": "LORA",
        "r": RANK,
        "lora_alpha": 8,
        "bias": "none",
        "target_modules": ["q_proj"],
    }
    config = {key: value for key, value in (usual | config).items()
              if value is not ...}  # fmt: skip
    return write_adapter(folder, sizes, config)


def sizes(shape, targets="all-linear", layout=EACH, **options):
    """Return {key: shape} of what PEFT writes for these targets."""
    made = adapter_tensors(shape, RANK, targets, layout=layout, **options)
    return {key: size for key, (_, size) in made.items()}


def pairs(places, prefix=PREFIX):
    """Return {key: shape} for [(path, Module), ...]."""
    found = {}
    for path, module in places:
        found[f"{prefix}{path}.lora_A.weight"] = (RANK, module.in_features)
        found[f"{prefix}{path}.lora_B.weight"] = (module.out_features, RANK)
    return found


def kinds(shape):
    """Return {name: ({key: shape}, config)}: what vLLM may meet on a base."""
    first = shape.linears[0].name
    usual = sizes(shape, [first])
    unknown = f"{PREFIX}model.layers.0.self_attn.zzz_proj.lora_"
    found = {
        "all": (sizes(shape), {}),
        "without prefix": (sizes(shape, [first], prefix=""), {}),
        "doubled prefix": (sizes(shape, [first], prefix=PREFIX * 2), {}),
        "embed_tokens": (sizes(shape, [first, "embed_tokens"]), {}),
        "lm_head": (
            sizes(shape, [first, "lm_head"], saved_in_full=["lm_head"]),
            {},
        ),
        "saved in full": (
            sizes(shape, [first], saved_in_full=["embed_tokens"]),
            {},
        ),
        "unknown module": (
            usual
            | {f"{unknown}A.weight": (4, 64), f"{unknown}B.weight": (64, 4)},
            {},
        ),
        "patterns": (
            sizes(shape, [first]),
            {"use_rslora": True, "alpha_pattern": {f"layers.1..*{first}": 3}},
        ),
    }
    if shape.language_model != shape.architecture:
        found |= _of_wrapper(shape)
    if shape.num_experts:
        found |= _of_mixture(shape)
    for module in {m.name: m for _, m in shape.modules()}.values():
        if module.kind in ("gate", "rep", "plain"):
            there = [
                item
                for item in shape.modules()
                if item[1].name == module.name and not item[1].is_copy
            ]
            found[f"only {module.name}"] = (pairs(there), {})
    return found


def _of_wrapper(shape):
    towers = [
        (path, module)
        for layers in shape.layers
        for module in layers.modules
        if layers.is_tower and module.is_linear
        for path in layers.places(module)
    ]
    usual = sizes(shape)
    old = f"{PREFIX}model.language_model."
    return {
        "text-only names": (
            sizes(shape, layout=Layout(fused_experts=False, text_names=True)),
            {},
        ),
        "targets in towers too": (
            sizes(shape, layout=Layout(fused_experts=False, with_towers=True)),
            {},
        ),
        "all of the towers": (sizes(shape, ["q_proj"]) | pairs(towers), {}),
        "names of before transformers 5": (
            {
                key.replace(old, f"{PREFIX}language_model.model."): size
                for key, size in usual.items()
            },
            {},
        ),
    }


def _of_mixture(shape):
    each, fused = sizes(shape), sizes(shape, layout=FUSED)
    found = {
        "fused experts": fused,
        "an expert missing": {
            key: size for key, size in each.items()
            if ".experts.0." not in key
        },
        "experts of one layer": {
            key: size for key, size in each.items() if ".layers.1." in key
        },
        "down_proj alone": {
            key: size for key, size in fused.items()
            if "experts.base_layer" not in key
        },
        "gate_up_proj alone": {
            key: size for key, size in fused.items()
            if ".experts.lora" not in key
        },
        "Mixtral's own names": {
            key.replace(".mlp.", ".block_sparse_moe.")
            .replace("gate_proj", "w1")
            .replace("up_proj", "w3")
            .replace("down_proj", "w2"): size
            for key, size in each.items()
        },
    }  # fmt: skip
    return {name: (made, {}) for name, made in found.items()}
