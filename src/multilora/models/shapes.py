"""What a model's config.json says: its layers, modules and caches."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from multilora.arguments import Names, choice, integer, names, shown
from multilora.models.build import (
    check_experts,
    layers_of,
    text_fields,
)
from multilora.models.config import read_config
from multilora.models.family import family
from multilora.models.layers import Layers, Module
from multilora.models.served import described

ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
MLP = ("gate_proj", "up_proj", "down_proj")
ALL_LINEAR = ATTENTION + MLP
EMBEDDINGS = ("embed_tokens", "lm_head")

# What target_modules may be: names of linear layers, or "all-linear".
TargetModules = str | Names


@dataclass(frozen=True)
class Linear:
    """A linear layer, y = x @ W.T with W of shape (out, in), and how often.

    count is how many of them one transformer layer has: the number of
    experts in a mixture, else 1. num_layers is how many layers have it.
    """

    name: str
    in_features: int
    out_features: int
    count: int = 1
    num_layers: int = 1


@dataclass(frozen=True)
class ModelShape:
    """The layers of a model that writes text; make one with from_config.

    Widths are in elements. `architecture` is the model_type that the file
    names, `language_model` that of the language model in it, `layers` every
    module of the model with its widths and caches.
    hidden_size and what follows are the language model's. num_experts is 0
    for a dense model. `tied` says that lm_head shares the embedding's
    weights.
    """

    name: str
    architecture: str
    layers: tuple[Layers, ...] = field(repr=False)
    hidden_size: int
    intermediate_size: int
    num_layers: int
    num_heads: int
    num_kv_heads: int
    head_dim: int
    vocab_size: int
    max_position_embeddings: int
    tied: bool
    num_experts: int = 0
    num_experts_per_token: int = 0
    language_model: str = ""
    config: Mapping[str, Any] = field(
        default_factory=dict, repr=False, compare=False
    )

    @classmethod
    def from_config(
        cls, path_or_dict: str | Path | dict[str, Any], name: str | None = None
    ) -> Self:
        """Read a Hugging Face config.json: a path, a folder or a dict.

        The model_types that are known are family_names(). A field that the
        file leaves out has the default of transformers' class.
        Raises ConfigNotFoundError when there is no such file, ValueError
        for a file that is not JSON, a model_type that vLLM does not serve
        with LoRA or that is not described here, a field that is missing,
        out of range or contradicts another, TypeError for another kind of
        argument or value.
        """
        config, origin = read_config(path_or_dict)
        architecture = described(config)
        outer = family(architecture)
        fields, own = text_fields(config, outer)
        layers = layers_of(config, outer, own, fields)
        return cls(
            name=name or config.get("_name_or_path") or origin,
            architecture=architecture,
            layers=layers,
            hidden_size=fields["hidden_size"],
            intermediate_size=fields.get("intermediate_size") or 0,
            num_layers=fields["num_hidden_layers"],
            num_heads=fields["num_attention_heads"],
            num_kv_heads=fields["num_key_value_heads"],
            head_dim=fields["head_dim"],
            vocab_size=fields["vocab_size"],
            max_position_embeddings=fields.get("max_position_embeddings") or 0,
            tied=bool(fields["tie_word_embeddings"]),
            num_experts=check_experts(config, own, layers),
            num_experts_per_token=fields.get("num_experts_per_tok") or 0,
            language_model=own.name,
            config=dict(config),
        )

    def with_vocab_size(self, vocab_size: int) -> "ModelShape":
        """Return the same model with embeddings of another length."""
        size = integer("vocab_size", vocab_size, minimum=1)
        config = dict(self.config)
        outer = family(self.architecture)
        if outer.text and isinstance(config.get(outer.text_scope), dict):
            inner = config[outer.text_scope]
            config[outer.text_scope] = {**inner, "vocab_size": size}
        config["vocab_size"] = size
        return type(self).from_config(config, name=self.name)

    def remember(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Return make(), made once for this shape and key.

        A shape never changes, so what follows from it alone can be kept.
        """
        kept = self.__dict__.setdefault("_kept", {})
        if key not in kept:
            kept[key] = make()
        return kept[key]

    @property
    def language_layers(self) -> tuple[Layers, ...]:
        """The layers of the language model, its tables and norm with them."""
        return tuple(item for item in self.layers if not item.is_tower)

    @property
    def linears(self) -> tuple[Linear, ...]:
        """The linear layers of the transformer layers, in PEFT's names.

        Each name once for each pair of widths that it has. A mixture's
        experts count as layers of their own; its router, what picks the
        experts, is not among them, nor is lm_head.
        """
        found: dict[tuple[str, int, int, int], int] = {}
        for layers in self.language_layers:
            for module in layers.modules if layers.is_repeated else ():
                if module.is_copy:
                    continue
                if module.is_linear and module.kind not in (
                    "gate", "conv", "plain",
                ):  # fmt: skip
                    key = (module.name, module.in_features,
                           module.out_features, module.count)  # fmt: skip
                    found[key] = found.get(key, 0) + len(layers.numbers)
        return tuple(Linear(*key, times) for key, times in found.items())

    @property
    def router(self) -> Linear | None:
        """The linear layer that picks experts; None in a dense model."""
        for layers in self.language_layers:
            for module in layers.modules:
                if module.kind == "gate":
                    return Linear(
                        module.name,
                        module.in_features,
                        module.out_features,
                        num_layers=len(layers.numbers),
                    )
        return None

    def select(self, target_modules: TargetModules) -> tuple[Linear, ...]:
        """Return the linear layers that target_modules names.

        target_modules is a list of names out of those of `linears`, or the
        text "all-linear", as in PEFT. Raises ValueError for an unknown name.
        """
        if isinstance(target_modules, str):
            choice("target_modules", target_modules, ("all-linear",))
            return self.linears
        wanted = names("target_modules", target_modules)
        known = dict.fromkeys(item.name for item in self.linears)
        for module in wanted:
            choice("target_modules", module, known)
        return tuple(item for item in self.linears if item.name in wanted)

    @property
    def linear_params(self) -> int:
        """Weights of all linear layers; biases, router, lm_head apart."""
        return sum(
            item.num_layers * item.count * item.in_features * item.out_features
            for item in self.linears
        )

    @property
    def num_params(self) -> int:
        """All parameters, those of a vision or audio tower among them."""
        return sum(
            len(layers.numbers) * module.num_params
            for layers in self.layers
            for module in layers.modules
            if not module.is_copy
        )

    def modules(self) -> list[tuple[str, Module]]:
        """Return (full path, Module) of every module of the checkpoint."""
        return [
            (place, module)
            for layers in self.layers
            for module in layers.modules
            if not module.is_copy
            for place in layers.places(module)
        ]


def check_dense(shape: ModelShape) -> ModelShape:
    """Return shape if it is a dense ModelShape, or raise an error."""
    if check_shape(shape).num_experts:
        raise ValueError(
            f"shape is a mixture of {shape.num_experts} experts, but must be "
            "dense here; slot_reservation_bytes and num_params know mixtures"
        )
    return shape


def check_shape(shape: ModelShape) -> ModelShape:
    """Return shape if it is a ModelShape, or raise TypeError."""
    if not isinstance(shape, ModelShape):
        raise TypeError(
            f"shape is {shown(shape)}, but must be a ModelShape; make one "
            "with ModelShape.from_config or shipped.model_shape"
        )
    return shape
