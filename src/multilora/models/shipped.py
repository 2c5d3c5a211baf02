"""The models whose config.json come along, by their short names."""

from functools import cache

from multilora.arguments import choice
from multilora.models.shapes import ModelShape
from multilora.published import published, shared


def model_names() -> list[str]:
    """Return the short names of the models whose config.json we ship."""
    return [model["name"] for model in shared("models")]


def model_shape(name: str, vocab_size: int | None = None) -> ModelShape:
    """Return the ModelShape of a shipped model by its short name.

    vocab_size replaces the model's own, for a base with resized embeddings.
    Raises ValueError for a name that is not in model_names().
    """
    shape = _shipped_shape(choice("name", name, model_names()))
    if vocab_size is None:
        return shape
    return shape.with_vocab_size(vocab_size)


@cache
def _shipped_shape(name):
    (model,) = (item for item in published("models") if item["name"] == name)
    return ModelShape.from_config(model["config"], name=name)
