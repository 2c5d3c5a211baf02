"""Wrong arguments of bills, reservations and ledgers work or are named."""

from bad_input import each_wrong_value
from multilora.memory import cards, economics, kv, ledger, reservation
from multilora.models import versions
from multilora.models.shipped import model_shape

LLAMA = model_shape("Llama-2-7B")
GOOD = {
    economics.lora_params_per_layer: (4, 4, 2),
    economics.adapter_bytes: (4, 4, 2, 4, 2),
    economics.adapters_per_gib: (4, 4, 2, 4, 2),
    economics.shrink_ratio: (100, 4, 4, 2, 4),
    economics.gpus_saved: (10, 2),
    economics.engines_needed: (10, 2),
    economics.base_flops_per_token: (LLAMA,),
    economics.delta_flops_per_token: (LLAMA, 8, ["q_proj"]),
    reservation.slot_reservation_bytes: (LLAMA, 2, 8, "auto", None, "0.32.0"),
    reservation.reserved_modules: (LLAMA, None, "0.32.0"),
    ledger.memory_ledger: (LLAMA, 24, 2, 16, 0.9),
    ledger.kv_tokens_lost: (LLAMA, 100, "auto"),
    kv.kv_bytes_per_token: (LLAMA, "auto", 2),
    kv.kv_bytes_per_request: (LLAMA, 100, "auto", 2, 16, 8192, "0.32.0"),
    kv.kv_tokens: (LLAMA, 2**30, 4096, "auto", 2, 16, 8192, "0.32.0"),
    versions.nearest_rule: ("0.32.0",),
    versions.where_read: ("ranks", "0.32.0"),
    versions.default_batch: ("0.32.0", "NVIDIA H200", 139),
    versions.is_registered: ("LlamaForCausalLM", "0.32.0"),
    versions.has_lora: ("LlamaForCausalLM", "0.32.0"),
    versions.embeddings_of: (
        "Mistral3ForConditionalGeneration",
        "0.32.0",
        "MistralForCausalLM",
    ),
    versions.packed_modules: ("LlamaForCausalLM", "0.32.0"),
    versions.listed_modules: ("LlamaForCausalLM", "0.7.3"),
    versions.has_feature: ("LlamaForCausalLM", "0.32.0", "tower"),
    cards.card_gib: ("80",),
}

test_each_wrong_value_works_or_is_named = each_wrong_value(GOOD)
