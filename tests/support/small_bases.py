"""The config.json of small bases, one of each kind that adapters meet."""

_TEXT = {
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "vocab_size": 256,
    "max_position_embeddings": 512,
}
_EYES = {
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "image_size": 56,
    "patch_size": 14,
}
_QWEN_EYES = {
    "depth": 2,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_heads": 4,
    "out_hidden_size": 64,
}
_EXPERTS = {
    "num_experts": 4,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 32,
    "norm_topk_prob": True,
}
_SHARED = {"shared_expert_intermediate_size": 32}
_DELTA_NET = {
    "linear_num_value_heads": 4,
    "linear_num_key_heads": 2,
    "linear_key_head_dim": 16,
    "linear_value_head_dim": 16,
    "layer_types": ["linear_attention", "full_attention"],
}
_LATENT = {
    "n_routed_experts": 4,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 32,
    "n_shared_experts": 1,
    "first_k_dense_replace": 1,
    "q_lora_rank": 32,
    "kv_lora_rank": 16,
    "qk_nope_head_dim": 128,
    "qk_rope_head_dim": 64,
    "v_head_dim": 128,
    "n_group": 1,
    "topk_group": 1,
}


def _text(model_type, name, **fields):
    return {
        **_TEXT,
        "model_type": model_type,
        "architectures": [f"{name}ForCausalLM"],
        **fields,
    }


def _wrapper(model_type, name, text, eyes, fields=None, **own):
    return {
        "model_type": model_type,
        "architectures": [f"{name}ForConditionalGeneration"],
        "text_config": {**_TEXT, "model_type": text, **(fields or {})},
        "vision_config": eyes,
        **own,
    }


_CLIP = {**_EYES, "model_type": "clip_vision_model", "projection_dim": 64}
_DEEP = {
    **_QWEN_EYES,
    "deepstack_visual_indexes": [0],
    "num_position_embeddings": 16,
}
BASES = {
    "llama": _text("llama", "Llama"),
    "llama tied": _text("llama", "Llama", tie_word_embeddings=True),
    "mistral": _text("mistral", "Mistral"),
    "qwen2": _text("qwen2", "Qwen2"),
    "qwen3 tied": _text("qwen3", "Qwen3", tie_word_embeddings=True),
    "gemma2": _text("gemma2", "Gemma2"),
    "gemma3_text": _text("gemma3_text", "Gemma3"),
    "mixtral": _text("mixtral", "Mixtral", num_local_experts=4),
    "qwen2_moe": _text("qwen2_moe", "Qwen2Moe", **_EXPERTS, **_SHARED),
    "qwen3_moe": _text("qwen3_moe", "Qwen3Moe", **_EXPERTS),
    "gpt_oss": _text(
        "gpt_oss", "GptOss", num_local_experts=4, num_experts_per_tok=2
    ),
    "qwen3_next": _text(
        "qwen3_next", "Qwen3Next", **_EXPERTS, **_SHARED, **_DELTA_NET
    ),
    "deepseek_v3": _text("deepseek_v3", "DeepseekV3", **_LATENT),
    "gemma3": _wrapper(
        "gemma3",
        "Gemma3",
        "gemma3_text",
        {**_EYES, "model_type": "siglip_vision_model"},
        mm_tokens_per_image=4,
    ),
    "gemma4": _wrapper(
        "gemma4",
        "Gemma4",
        "gemma4_text",
        {**_EYES, "model_type": "gemma4_vision"},
    ),
    "mistral3": _wrapper(
        "mistral3",
        "Mistral3",
        "mistral",
        {**_EYES, "model_type": "pixtral", "head_dim": 16},
    ),
    "llava": _wrapper("llava", "Llava", "llama", _CLIP),
    "llava mistral": _wrapper("llava", "Llava", "mistral", _CLIP),
    "qwen2_vl": _wrapper(
        "qwen2_vl",
        "Qwen2VL",
        "qwen2_vl_text",
        {
            "depth": 2,
            "embed_dim": 64,
            "hidden_size": 64,
            "num_heads": 4,
            "mlp_ratio": 2,
        },
    ),
    "qwen2_5_vl": _wrapper(
        "qwen2_5_vl",
        "Qwen2_5_VL",
        "qwen2_5_vl_text",
        {**_QWEN_EYES, "fullatt_block_indexes": [1]},
    ),
    "qwen3_vl": _wrapper("qwen3_vl", "Qwen3VL", "qwen3_vl_text", _DEEP),
    "qwen3_vl_moe": _wrapper(
        "qwen3_vl_moe", "Qwen3VLMoe", "qwen3_vl_moe_text", _DEEP, _EXPERTS
    ),
    "qwen3_5": _wrapper(
        "qwen3_5", "Qwen3_5", "qwen3_5_text", _DEEP, _DELTA_NET
    ),
    "qwen3_5_moe": _wrapper(
        "qwen3_5_moe",
        "Qwen3_5Moe",
        "qwen3_5_moe_text",
        _DEEP,
        {**_EXPERTS, **_SHARED, **_DELTA_NET},
    ),
    "idefics3": _wrapper(
        "idefics3",
        "Idefics3",
        "llama",
        {**_EYES, "model_type": "idefics3_vision"},
    ),
    "internvl": _wrapper(
        "internvl",
        "InternVL",
        "qwen2",
        {
            **_EYES,
            "model_type": "internvl_vision",
            "image_size": [56, 56],
            "patch_size": [14, 14],
        },
    ),
    "glm4v": _wrapper(
        "glm4v", "Glm4v", "glm4v_text", {**_QWEN_EYES, "image_size": 56}
    ),
}
