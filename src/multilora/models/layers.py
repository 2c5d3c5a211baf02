"""The parts that a model is made of: modules, what they cache, layers."""

from dataclasses import dataclass

# How vLLM cuts a module over tensor-parallel ranks.
#   table, head   rows of the vocabulary
#   q, kv, qkv    columns, by attention heads; fewer KV heads are repeated
#   col, row      columns, or rows
#   rep, gate     not at all; a gate also stays at 16 bits in any quantisation
#   w13, w2       experts: columns, rows; gate_up is w13 with one A for both
#   conv          a convolution over time, by columns; vLLM makes it a linear
#                 layer with slots, never quantised; PEFT does not adapt it
#   plain         a linear layer that is none of vLLM's own: no slots
#   norm, split   other parameters: on each rank, or cut
LINEAR_KINDS = (
    "head", "q", "kv", "qkv", "col", "row", "rep", "gate",
    "w13", "gate_up", "w2", "conv", "plain",
)  # fmt: skip
EXPERT_KINDS = ("w13", "gate_up", "w2")
KINDS = ("table", *LINEAR_KINDS, "norm", "split")
CACHE_KINDS = ("full", "sliding", "chunked", "mla", "state")


@dataclass(frozen=True)
class Module:
    """One module of a layer, or one parameter that is no matrix.

    path is its name within the layer as transformers and PEFT have it, `into`
    the name of the module that vLLM packs it in, or its own. A linear layer
    computes y = x @ W.T with W of shape (out_features, in_features); a table
    has a row of in_features for each of out_features tokens; another
    parameter has out_features elements and in_features 1. count is the number
    of experts that each have one. heads and kv_heads are those that a cut
    must respect, or 0. num_slices is how many A matrices a slot has for it,
    has_slots whether vLLM gives it slots at all. Of its outputs, num_groups
    times group_width belong to groups, of which every GPU needs one. is_copy
    says that vLLM has it and transformers counts no parameter for it;
    is_unused that vLLM leaves it out. element_bytes is what vLLM keeps for
    each weight, whatever the model's type (0: as wide as that).
    """

    path: str
    kind: str
    in_features: int
    out_features: int
    count: int = 1
    num_biases: int = 0
    into: str = ""
    heads: int = 0
    kv_heads: int = 0
    num_slices: int = 1
    is_copy: bool = False
    has_slots: bool = True
    num_groups: int = 0
    group_width: int = 0
    is_unused: bool = False
    element_bytes: int = 0

    @property
    def name(self) -> str:
        """The last part of its path, as target_modules name it."""
        return self.path.rsplit(".", 1)[-1]

    @property
    def is_linear(self) -> bool:
        return self.kind in LINEAR_KINDS

    @property
    def is_table(self) -> bool:
        """Whether it has a row for each token of the vocabulary."""
        return self.kind in ("table", "head")

    @property
    def is_expert(self) -> bool:
        return self.kind in EXPERT_KINDS

    @property
    def num_weights(self) -> int:
        """Elements of its matrix (of all experts), biases apart."""
        return self.count * self.in_features * self.out_features

    @property
    def num_params(self) -> int:
        """Elements of its matrix and of its biases."""
        return self.num_weights + self.count * self.num_biases


@dataclass(frozen=True)
class Cache:
    """What one layer keeps of each request.

    full, sliding and chunked attention: keys and values of `heads` heads of
    `width` elements a token (values of `value_width`), a window in tokens
    where there is one. mla: `width` elements a token. state: `width`
    elements a request, however long, of element_bytes each (0: as wide as
    the model), `heads` times where each GPU has whole ones of them (0: cut
    evenly). checkpoints are the blocks that vLLM keeps of it beside two.
    """

    kind: str
    heads: int
    width: int
    value_width: int = 0
    window: int = 0
    element_bytes: int = 0
    checkpoints: int = 0

    @property
    def num_elements(self) -> int:
        """Elements a token, or a request for a state."""
        if self.kind in ("mla", "state"):
            return max(1, self.heads) * self.width
        return self.heads * (self.width + (self.value_width or self.width))


@dataclass(frozen=True)
class Layers:
    """Layers that are made alike: their numbers, modules and caches.

    path holds a "*" for the number; a part of the model that is there once
    has a path without one. A tower reads images or sound; the adapters of
    the language model leave it alone.
    """

    path: str
    numbers: tuple[int, ...]
    modules: tuple[Module, ...]
    caches: tuple[Cache, ...] = ()
    is_tower: bool = False

    @property
    def is_repeated(self) -> bool:
        return "*" in self.path

    def places(self, module: Module) -> list[str]:
        """Return the full path of a module in each of these layers."""
        name = ".".join(filter(None, (self.path, module.path)))
        if not self.is_repeated:
            return [name]
        return [name.replace("*", str(number), 1) for number in self.numbers]
