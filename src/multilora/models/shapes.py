"""What a model's config.json says: its linear layers and their widths."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

from multilora.arguments import Names, choice, names, shown
from multilora.models.config import field, flag, read_config

ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
MLP = ("gate_proj", "up_proj", "down_proj")
ALL_LINEAR = ATTENTION + MLP
ROUTER = "gate"
EMBEDDINGS = ("embed_tokens", "lm_head")

# What target_modules may be: names of linear layers, or "all-linear".
TargetModules = str | Names


class _Family(NamedTuple):
    """What a config.json does not say of an architecture.

    norms counts those of a layer, biased names the linears that carry a bias,
    tied is what the file means when it is silent about tied embeddings (the
    defaults of the configuration classes in transformers 5.19).
    """

    norms: int = 2
    biased: tuple[str, ...] = ()
    tied: bool = False


_FAMILIES = {
    "llama": _Family(),
    "mistral": _Family(),
    "qwen2": _Family(biased=("q_proj", "k_proj", "v_proj")),
    "gemma2": _Family(norms=4, tied=True),
    "internlm": _Family(biased=ATTENTION),
    "mixtral": _Family(),
}
# The mixtures of experts among them.
_MIXTURES = ("mixtral",)
ARCHITECTURES = tuple(_FAMILIES)


@dataclass(frozen=True)
class Linear:
    """One linear layer, y = x @ W.T with W of shape (out, in).

    count is how many of them a transformer layer has: the number of experts
    in a mixture's MLP, else 1.
    """

    name: str
    in_features: int
    out_features: int
    count: int = 1


@dataclass(frozen=True)
class ModelShape:
    """The widths of a decoder-only transformer; make one with from_config.

    Widths are in elements. `tied` says that lm_head shares the embedding's
    weights, `biased` names the linear layers that carry a bias. num_experts
    is 0 for a dense model; a mixture has one MLP an expert, and a router.
    """

    name: str
    architecture: str
    hidden_size: int
    intermediate_size: int
    num_layers: int
    num_heads: int
    num_kv_heads: int
    head_dim: int
    vocab_size: int
    tied: bool
    biased: tuple[str, ...] = ()
    num_experts: int = 0

    @classmethod
    def from_config(
        cls, path_or_dict: str | Path | dict[str, Any], name: str | None = None
    ) -> Self:
        """Read a Hugging Face config.json: a path, a folder or a dict.

        Raises ConfigNotFoundError when there is no such file, ValueError
        for a file that is not JSON, an unknown architecture, a field that
        is missing or out of range, TypeError for another kind of argument.
        """
        config, origin = read_config(path_or_dict)
        architecture = choice(
            "model_type", config.get("model_type"), ARCHITECTURES
        )
        family = _FAMILIES[architecture]
        if architecture not in _MIXTURES:
            _refuse_experts(config)
        hidden = field(config, "hidden_size")
        heads = field(config, "num_attention_heads")
        kv_heads = field(config, "num_key_value_heads", default=heads)
        shape = cls(
            name=name or config.get("_name_or_path") or origin,
            architecture=architecture,
            hidden_size=hidden,
            intermediate_size=field(config, "intermediate_size"),
            num_layers=field(config, "num_hidden_layers"),
            num_heads=heads,
            num_kv_heads=kv_heads,
            head_dim=field(config, "head_dim", default=hidden // heads),
            vocab_size=field(config, "vocab_size"),
            tied=flag(config, "tie_word_embeddings", family.tied),
            biased=_biased(config, family.biased),
            num_experts=field(config, "num_local_experts")
            if architecture in _MIXTURES
            else 0,
        )
        shape._check_heads("head_dim" in config)
        return shape

    def _check_heads(self, has_head_dim):
        if not has_head_dim and self.hidden_size % self.num_heads:
            raise ValueError(
                f"hidden_size is {self.hidden_size}, which "
                f"num_attention_heads = {self.num_heads} does not divide; "
                "give head_dim"
            )
        if self.num_heads % self.num_kv_heads:
            raise ValueError(
                f"num_key_value_heads is {self.num_kv_heads}, but must "
                f"divide num_attention_heads = {self.num_heads}"
            )

    @property
    def linears(self) -> tuple[Linear, ...]:
        """The linear layers of one transformer layer, in PEFT's names.

        A mixture's experts go by the same names here; Mixtral's own are w1
        (gate_proj), w3 (up_proj) and w2 (down_proj).
        """
        query = self.num_heads * self.head_dim
        kv = self.num_kv_heads * self.head_dim
        hidden, inner = self.hidden_size, self.intermediate_size
        experts = self.num_experts or 1
        return (
            Linear("q_proj", hidden, query),
            Linear("k_proj", hidden, kv),
            Linear("v_proj", hidden, kv),
            Linear("o_proj", query, hidden),
            Linear("gate_proj", hidden, inner, experts),
            Linear("up_proj", hidden, inner, experts),
            Linear("down_proj", inner, hidden, experts),
        )

    @property
    def router(self) -> Linear | None:
        """The linear layer that picks experts; None in a dense model."""
        if not self.num_experts:
            return None
        return Linear(ROUTER, self.hidden_size, self.num_experts)

    def select(self, target_modules: TargetModules) -> tuple[Linear, ...]:
        """Return the linear layers that target_modules names.

        target_modules is a list of names out of ALL_LINEAR, or the text
        "all-linear", as in PEFT. Raises ValueError for an unknown name.
        """
        if isinstance(target_modules, str):
            choice("target_modules", target_modules, ("all-linear",))
            return self.linears
        wanted = names("target_modules", target_modules)
        for module in wanted:
            choice("target_modules", module, ALL_LINEAR)
        return tuple(item for item in self.linears if item.name in wanted)

    @property
    def linear_params(self) -> int:
        """Weights of all linear layers; biases, router, lm_head apart."""
        sizes = (
            item.count * item.in_features * item.out_features
            for item in self.linears
        )
        return self.num_layers * sum(sizes)

    @property
    def num_params(self) -> int:
        """All parameters: embeddings, linears, biases, norms and lm_head."""
        biases = sum(
            item.out_features
            for item in self.linears
            if item.name in self.biased
        )
        norms = _FAMILIES[self.architecture].norms * self.hidden_size
        router = self.hidden_size * self.num_experts
        tables = 1 if self.tied else 2
        return (
            self.linear_params
            + self.num_layers * (biases + norms + router)
            + tables * self.vocab_size * self.hidden_size
            + self.hidden_size
        )


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


def _biased(config, default):
    """Linear layers with a bias: the family's own, or what the file adds."""
    biased = default
    if flag(config, "attention_bias", False):
        biased = (*biased, *ATTENTION)
    if flag(config, "mlp_bias", False):
        biased = (*biased, *MLP)
    return tuple(name for name in ALL_LINEAR if name in biased)


def _refuse_experts(config):
    for key in ("num_local_experts", "num_experts", "n_routed_experts"):
        if config.get(key):
            raise ValueError(
                f"{key} is {shown(config[key])}, but of the mixtures of "
                f"experts only {', '.join(_MIXTURES)} is supported"
            )
