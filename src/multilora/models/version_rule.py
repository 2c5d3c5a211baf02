"""One vLLM version's rule, and how the table of versions is looked up.

The table is data/vllm_versions.json: each fact with the file and line where
its release says it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from multilora.arguments import shown, text
from multilora.published import shared

_FORM = re.compile(
    r"v?([0-9]{1,4})\.([0-9]{1,4})\.([0-9]{1,4})(?:\.([0-9]{1,4}))?"
    r"((?:(?:a|b|rc)[0-9]{1,6})?(?:\.post[0-9]{1,6})?(?:\.dev[0-9]{1,6})?)"
    r"(?:\+[A-Za-z0-9.]{1,64})?"  # +cpu, +cu128: how it was built
)
_FIRST, _LAST = (0, 7), (0, 33)


class BatchRule(NamedTuple):
    """Default batch limits of the cards that a row is for.

    A row is for cards of at least min_gib whose name holds one of `cards`
    (empty: any) and none of not_cards; `offline` is max_num_batched_tokens
    of the class LLM, `server` that of the API server; None is the larger of
    max_model_len and 2,048.
    """

    cards: tuple[str, ...]
    min_gib: float
    not_cards: tuple[str, ...]
    offline: int | None
    server: int | None
    max_num_seqs: int

    def is_for(self, card: str, memory_gib: float) -> bool:
        """True if the row is for a card, name and memory in GiB."""
        name = card.lower()
        wanted = [part.lower() in name for part in self.cards]
        unwanted = [part.lower() in name for part in self.not_cards]
        has_room = memory_gib >= self.min_gib
        return has_room and (any(wanted) or not wanted) and not any(unwanted)


@dataclass(frozen=True)
class VersionRule:
    """What a vLLM version does, taken from the nearest that was checked.

    `used` is that version, `checked` how ("run" or "read"), `said` a
    sentence for a result. What follows are facts of the version used.
    Slots: the `ranks` that max_lora_rank may be; extra_vocab, rows for added
    tokens that a slot holds by default; vocab_padding, what lm_head's rows
    are padded to; max_vocab_size, the largest that lm_head's slots take.
    `engine` is the one that LoRA gets by default, V0 or V1; `batches` are
    default batch limits, the first row that is for a card counts.
    """

    vllm_version: str
    used: str
    is_exact: bool
    checked: str
    said: str
    ranks: tuple[int, ...]
    extra_vocab: int
    extra_vocab_choices: tuple[int, ...]
    vocab_padding: int
    max_vocab_size: int
    only_listed_modules: bool
    has_inner_embeddings: bool
    has_router_subclasses: bool
    has_bias_slots: bool
    has_fully_sharded: bool
    has_target_filter: bool
    filter_completes_groups: bool
    filter_adds_modules: bool
    has_expert_slots: bool
    has_3d_expert_slots: bool
    has_shared_expert_slots: bool
    has_expert_parallel: bool
    has_tower_option: bool
    has_classifier_slots: bool
    refuses_models_early: bool
    maps_text_adapters: bool
    engine: str
    loading_line: str
    are_slots_in_loading_line: bool
    are_slots_in_kv_budget: bool
    gpu_memory_utilization: float
    are_graphs_in_kv_budget: bool
    block_size: int
    batches: tuple[BatchRule, ...]


def version_table() -> dict[str, Any]:
    """Return data/vllm_versions.json; not to be changed."""
    return shared("vllm_versions")


def parsed_version(vllm_version: object) -> tuple[str, str]:
    """Return a version as (name, the nearest version that was checked).

    The name has no leading v and no +build.
    Raises TypeError for no str, ValueError for no version or one outside.
    """
    numbers = release_numbers(vllm_version)
    asked = str(vllm_version)
    minor = tuple(numbers[:2])
    if minor < _FIRST or minor > _LAST:
        why = "older" if minor < _FIRST else "not read yet"
        raise ValueError(
            f"vllm_version is {shown(asked)} ({why}), but must be from "
            "0.7 to 0.33"
        )
    name = asked.removeprefix("v").partition("+")[0]
    return name, _nearest(name, numbers)


def _nearest(name, numbers):
    """The version itself, its release, or the nearest patch of its minor."""
    checked = [row[0] for row in version_table()["releases"]]
    if name in checked:
        return name

    def distance(version):
        theirs = release_numbers(version)
        return [abs(a - b) for a, b in zip(numbers, theirs, strict=True)]

    return min(checked, key=distance)


def release_numbers(vllm_version: object) -> tuple[int, ...]:
    """Return the four numbers of a version's release, 0 for none.

    Of 0.8.5.post1, 0.8.5.dev468 and 0.8.5+cpu it is (0, 8, 5, 0).
    Raises TypeError for no str, ValueError for no version.
    """
    asked = text("vllm_version", vllm_version)
    match = _FORM.fullmatch(asked)
    if match is None:
        raise ValueError(
            f"vllm_version is {shown(asked)}, but must be like "
            "'0.32.0', '0.8.5.post1' or '0.8.5.dev468'"
        )
    return tuple(int(part or 0) for part in match.groups()[:4])


def value_at(changes: Sequence[Sequence[Any]], version: str) -> Any:
    """Return the value of the last change up to a checked version, or None."""
    place = _place(version)
    values = [row[1] for row in changes if _place(row[0]) <= place]
    return values[-1] if values else None


def is_within(ranges: Sequence[Sequence[str]], version: str) -> bool:
    """True if a checked version lies in one of ranges [first, last]."""
    place = _place(version)
    return any(_place(a) <= place <= _place(b) for a, b in ranges)


def frozen(value: Any) -> Any:
    """Return a fact with tuples for lists: no reader can change it."""
    if not isinstance(value, list):
        return value
    if value and isinstance(value[0], dict):
        rows = [{k: frozen(v) for k, v in row.items()} for row in value]
        return tuple(BatchRule(**row) for row in rows)
    return tuple(value)


@cache
def _places():
    return {row[0]: i for i, row in enumerate(version_table()["releases"])}


def _place(version):
    return _places()[version]
