"""Which model_types are described here, which vLLM serves with LoRA."""

from collections.abc import Mapping
from typing import Any

from multilora.arguments import shown
from multilora.models.family import family, family_names
from multilora.published import shared


def described(config: Mapping[str, Any], place: str = "model_type") -> str:
    """Return the model_type of a config, if it is described here.

    place names the field in errors.

    Raises ValueError: with one sentence for a type that vLLM does not serve
    with LoRA, with another for one that vLLM serves and this library does
    not know.
    """
    model_type = config.get("model_type")
    if not isinstance(model_type, str):
        raise ValueError(
            f"{place} is {shown(model_type)}, but must be a text such as "
            "'llama'"
        )
    if model_type in family_names():
        if not family(model_type).served.get("is_alone", True):
            raise ValueError(
                f"{place} is {shown(model_type)}, a language model that vLLM "
                "serves only inside a model that sees"
            )
        return model_type
    without = shared("without_lora")
    if model_type in without["types"]:
        raise ValueError(
            f"{place} is {shown(model_type)}, which vLLM "
            f"{without['vllm_version']} does not serve with LoRA"
        )
    raise ValueError(
        f"{place} is {shown(model_type)}, which this library does not "
        f"know yet; it knows {', '.join(family_names())}"
    )


def served(architecture: str, language_model: str = "") -> dict[str, Any]:
    """Return what vLLM does with a model_type, the wrapper's word first.

    A wrapper has what its language model's class has, unless it says
    otherwise: vLLM asks every module of a model. {} for an unknown type.
    """
    found: dict[str, Any] = {}
    for name in (language_model, architecture):
        if name in family_names():
            found |= family(name).served
    return found
