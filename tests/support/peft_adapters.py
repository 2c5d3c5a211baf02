"""Adapters that PEFT itself makes, on transformers' own small models."""

import os
import warnings

os.environ["HF_HUB_OFFLINE"] = "1"


def save(config, folder, **options):
    """Write the adapter that PEFT makes of a config.json; return folder.

    options are LoraConfig's. B is not left at zero, as before training.
    """
    import torch
    import transformers
    from peft import LoraConfig, get_peft_model
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING,
    )

    transformers.logging.set_verbosity_error()
    kind = transformers.CONFIG_MAPPING[config["model_type"]]
    made = kind.from_dict(dict(config))
    auto = transformers.AutoModelForCausalLM
    if kind in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING:
        auto = transformers.AutoModelForImageTextToText
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = get_peft_model(
            auto.from_config(made),
            LoraConfig(**{"r": 4, "lora_alpha": 8, **options}),
        )
    for name, weights in model.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(weights)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it saves embeddings too
        model.save_pretrained(folder)
    return folder
