"""What vLLM's releases changed for adapters, as a table, from their facts."""

from multilora.figures.tables import Table
from multilora.models import versions
from multilora.models.versions import checked_versions, nearest_rule

# (fact of VersionRule, its new value, what that means to an operator)
CHANGES = (
    ("are_slots_in_kv_budget", True,
     "slots are there before KV is sized, and count in the line "
     "“Model loading took”"),
    ("only_listed_modules", False, "every linear layer gets slots"),
    ("engine", "V1", "LoRA runs on the engine V1 unless told otherwise"),
    ("has_expert_slots", True, "a mixture's experts get slots"),
    ("extra_vocab", 0, "a slot holds no rows for added tokens any more"),
    ("has_tower_option", True,
     "--enable-tower-connector-lora: a wrapper's towers can get slots"),
    ("has_target_filter", True,
     "--lora-target-modules: slots for the modules named, no others"),
    ("gpu_memory_utilization", 0.92, "92 % of a GPU by default, 90 % before"),
    ("are_graphs_in_kv_budget", True,
     "an estimate of the CUDA graphs is taken off before KV is sized"),
    ("has_expert_parallel", True, "LoRA goes with --enable-expert-parallel"),
    ("maps_text_adapters", True,
     "names of a text-only adapter are mapped onto any wrapper"),
    ("refuses_models_early", True,
     "a model without LoRA is refused by name, before it is loaded"),
)  # fmt: skip
LEFT = ("InternLMForCausalLM",)  # classes that are gone
MISTRAL = "MistralForCausalLM"
REGISTRY = "model_executor/models/registry.py"


def first_with(fact, value):
    """Return the first checked release in which a fact has a value."""
    return next(
        version
        for version in checked_versions()
        if getattr(nearest_rule(version), fact) == value
    )


def release_table():
    """Return a Table: since, what changed, under it where that was read."""
    rows = [
        (since, [what, versions.where_read(fact, since)])
        for fact, value, what in CHANGES
        for since in [first_with(fact, value)]
    ]
    rows.append(_without_tables())
    rows += [_gone(name) for name in LEFT]
    order = list(checked_versions())
    rows.sort(key=lambda row: order.index(row[0]))
    return Table(("since vLLM", "what changed, and where"), rows)


def _without_tables():
    since = next(
        version
        for version in checked_versions()
        if not versions.embeddings_of(MISTRAL, version)
    )
    what = "Mistral's embed_tokens and lm_head take no adapter any more"
    return since, [what, f"class {MISTRAL} in {since}"]


def _gone(name):
    last = versions.lora_spans(name)[-1][1]
    order = list(checked_versions())
    since = order[order.index(last) + 1]
    return since, [f"{name} is gone", f"{REGISTRY} in {since}"]
