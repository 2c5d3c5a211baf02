"""Parameters of transformers' own classes, on torch's meta device."""

import warnings


def parameters(config):
    """Return {name: shape} of a config.json's model, each parameter once.

    Shapes are tuples. Of embeddings that are tied only one is there.
    """
    import torch
    from transformers import (
        CONFIG_MAPPING,
        MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING,
        AutoModelForCausalLM,
        AutoModelForImageTextToText,
    )

    fields = dict(config)
    found = CONFIG_MAPPING[fields["model_type"]].from_dict(fields)
    can_see = type(found) in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING
    auto = AutoModelForImageTextToText if can_see else AutoModelForCausalLM
    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's of its own torch.jit
        model = auto.from_config(found)
    model.tie_weights()
    return {
        name: tuple(parameter.shape)
        for name, parameter in model.named_parameters()
    }


def has_class(model_type):
    """Return whether transformers has a class of this model_type."""
    from transformers import CONFIG_MAPPING

    return model_type in CONFIG_MAPPING
