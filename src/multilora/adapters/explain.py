"""Why a file has the size it has: the ways PEFT may have written it."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from multilora.adapters.keys import PREFIX
from multilora.adapters.layout import (
    DTYPE_BYTES,
    Layout,
    adapter_tensors,
    split_targets,
)
from multilora.adapters.sizes import adapter_file_bytes
from multilora.arguments import integer
from multilora.models.family import family
from multilora.models.shapes import EMBEDDINGS, ModelShape, TargetModules

# A header spends about 100 bytes on each tensor, never this many.
_MOST_HEADER = 400
_MOST_ADDED = 4096


def explain_file_bytes(
    actual_bytes: int,
    shape: ModelShape,
    rank: int,
    target_modules: TargetModules,
) -> str | None:
    """Say by name why a file has the size it has, or None if nothing fits.

    Tries a file without tensors, each dtype, the doubled key prefix,
    embeddings saved in full in each dtype, each way to keep experts, a
    wrapper's towers and its text-only names; then embeddings of other
    lengths, solved for the rows. Returns one sentence.
    """
    actual_bytes = integer("actual_bytes", actual_bytes, minimum=1)
    tensors = adapter_tensors(shape, rank, target_modules, "F16")
    smallest = min(2 * math.prod(size) for _, size in tensors.values())
    if actual_bytes < smallest:
        return "too small for even one of its tensors: the save went wrong"
    _, tables = split_targets(shape, target_modules)
    file = _File(shape, rank, target_modules)
    # PEFT saves in full what it adapts, so that comes first.
    tries = sorted(
        _tries(shape, rank, target_modules),
        key=lambda each: not tables.issuperset(each[1]["saved_in_full"]),
    )
    for why, options in tries:
        if file.may_be(actual_bytes, options):
            if file.num_bytes(options) == actual_bytes:
                return why
    found = [
        (abs(rows - shape.vocab_size), number, rows)
        for number, (_, options) in enumerate(tries)
        if (rows := _rows(actual_bytes, file, options, tables))
    ]
    if not found:
        return None
    _, number, rows = min(found)
    added = rows - shape.vocab_size
    change = f"{added:,} added" if added > 0 else f"{-added:,} taken away"
    why, _ = tries[number]
    return f"{why}, with a vocabulary of {rows:,} rows, {change}"


@dataclass
class _File:
    """One adapter's file under any options; counts what it counted once."""

    shape: ModelShape
    rank: int
    target_modules: TargetModules
    counted: dict[str, tuple[int, int]] = field(default_factory=dict)

    def num_bytes(self, options, rows=None):
        if rows:
            layout = replace(options["layout"], vocab_size=rows)
            options = options | {"layout": layout}
        return adapter_file_bytes(
            self.shape, self.rank, self.target_modules, **options
        )

    def may_be(self, actual_bytes, options, most_rows=0):
        """Whether the tensors leave room for a header, and not too much.

        Headers take time in a mixture: they are made only where they may
        fit, give or take most_rows of each embedding.
        """
        layout = str(options["layout"])
        if layout not in self.counted:
            tensors = adapter_tensors(
                self.shape, self.rank, self.target_modules,
                layout=options["layout"],
            )  # fmt: skip
            sizes = [math.prod(size) for _, size in tensors.values()]
            self.counted[layout] = sum(sizes), len(sizes)
        num_elements, num_tensors = self.counted[layout]
        saved = len(options["saved_in_full"])
        row = self.shape.hidden_size * DTYPE_BYTES[options["full_dtype"]]
        row = row * saved + 2 * self.rank * DTYPE_BYTES[options["dtype"]]
        header = (
            actual_bytes
            - 8
            - num_elements * DTYPE_BYTES[options["dtype"]]
            - saved * self.shape.vocab_size * self.shape.hidden_size
            * DTYPE_BYTES[options["full_dtype"]]
        )  # fmt: skip
        most = _MOST_HEADER * (num_tensors + saved + 1) + most_rows * row
        return -most_rows * row < header < most


def _tries(shape, rank, target_modules) -> Iterator[tuple[str, dict]]:
    """Yield (sentence, options of adapter_tensors), the usual ones first."""
    layouts = list(_layouts(shape, rank, target_modules))
    for (layout_text, layout), prefix, saved, dtype in itertools.product(
        layouts, _PREFIXES, _SAVED, DTYPE_BYTES
    ):
        for full in DTYPE_BYTES if saved else (dtype,):
            ending = _SAVED[saved] and f"{_SAVED[saved]} in {full}"
            yield (
                _DTYPE_TEXT[dtype] + _PREFIXES[prefix] + ending + layout_text,
                {"dtype": dtype, "prefix": prefix, "saved_in_full": saved,
                 "full_dtype": full, "layout": layout},
            )  # fmt: skip


def _layouts(shape, rank, target_modules) -> Iterator[tuple[str, Layout]]:
    linears, _ = split_targets(shape, target_modules)
    experts: list[tuple[str, Layout]] = [("", Layout())]
    if any(
        module.is_expert and module.name in linears
        for _, module in shape.modules()
    ):
        one = ", all experts of a layer in one pair of matrices"
        twice = {"gate_up_proj": 2 * rank}
        experts = [
            (", each expert on its own", Layout(fused_experts=False)),
            (one, Layout(fused_experts=True)),
            (
                f"{one}, gate and up at twice the rank",
                Layout(fused_experts=True, rank_pattern=twice),
            ),
        ]
    for why, layout in experts:
        yield why, layout
        if any(layers.is_tower for layers in shape.layers):
            yield (
                f"{why}, with layers of the towers",
                replace(layout, with_towers=True),
            )
        if family(shape.architecture).prefixes:
            yield (
                f"{why}, under the text-only class's names",
                replace(layout, text_names=True),
            )


def _rows(actual_bytes, file, options, tables):
    """The rows of embeddings that make the file this large, or None."""
    if not (tables or options["saved_in_full"]):
        return None
    if not file.may_be(actual_bytes, options, _MOST_ADDED):
        return None
    usual = file.shape.vocab_size
    start = file.num_bytes(options)
    step = (file.num_bytes(options, usual + 4096) - start) / 4096
    guess = usual + round((actual_bytes - start) / step)
    for rows in (guess, guess - 1, guess + 1):
        if rows > 0 and 0 < abs(rows - usual) <= _MOST_ADDED:
            if file.num_bytes(options, rows) == actual_bytes:
                return rows
    return None


_DTYPE_TEXT = {
    "F32": "fp32 on disk, twice the bytes that a 16-bit slot takes",
    "F16": "fp16 on disk",
    "BF16": "bf16 on disk",
}
_PREFIXES = {PREFIX: "", PREFIX * 2: ", with a doubled key prefix"}
_SAVED = {
    (): "",
    ("embed_tokens",): ", with embed_tokens saved in full",
    ("lm_head",): ", with lm_head saved in full",
    EMBEDDINGS: ", with embed_tokens and lm_head saved in full",
}
