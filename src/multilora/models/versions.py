"""What vLLM's releases from 0.7 to 0.33 do with LoRA slots, as read.

A version that was not read gets the rule of the nearest that was, and the
rule says so. The table of what was checked, and how, is data.
"""

import difflib
from functools import cache

from multilora.arguments import choice, finite_number, shown, text
from multilora.models.version_rule import (
    BatchRule,
    VersionRule,
    frozen,
    is_within,
    parsed_version,
    value_at,
    version_table,
)

DEFAULT_VERSION = "0.32.0"
FEATURES = ("experts_3d", "tower", "non_gated", "lengthened")


def checked_versions() -> dict[str, str]:
    """Return {version: how it was checked}, "run" or "read", oldest first.

    Run: the slots of an engine were compared with its allocated tensors.
    """
    return dict(version_table()["releases"])


def nearest_rule(vllm_version: str) -> VersionRule:
    """Return what a vLLM version does, by itself or by the nearest checked.

    A development, candidate or post release that was not read uses its own
    release; a patch that was not read uses the nearest of its minor. How
    vLLM was built (+cpu) changes nothing.
    Raises TypeError for no str, ValueError for no version, one below 0.7
    or one after 0.33, which was not read yet.
    """
    return _rule(*parsed_version(vllm_version))


@cache
def _rule(name, used):
    how = checked_versions()[used]
    verb = "run" if how == "run" else "read"
    if name == used:
        said = f"vLLM {name} was {verb}"
        if how == "run":
            said += " and its slots compared with its tensors"
    else:
        said = (
            f"vLLM {name} was not read; the rule of {used}, the nearest "
            f"that was {verb}, is used"
        )
    facts = {
        key: frozen(value_at(changes, used))
        for key, changes in version_table()["facts"].items()
    }
    return VersionRule(
        vllm_version=name,
        used=used,
        is_exact=name == used,
        checked=how,
        said=said,
        **facts,
    )


def where_read(fact: str, vllm_version: str) -> str:
    """Return the file and line where a release says a fact, below vllm/.

    fact is a field of VersionRule, from `ranks` on; the release is the first
    of those that agree with this version.
    """
    facts = version_table()["facts"]
    choice("fact", fact, facts)
    _, used = parsed_version(vllm_version)
    first, place = value_at([[r[0], (r[0], r[2])] for r in facts[fact]], used)
    return f"{place} in {first}"


def default_batch(
    vllm_version: str, card: str, memory_gib: float
) -> BatchRule:
    """Return the default batch limits on a card, offline and as a server.

    From 0.11.1 tokens are cut to max_num_seqs × max_model_len, from 0.10.1
    max_num_seqs to the tokens. card is its name as the driver gives it.
    """
    name = text("card", card)
    memory = finite_number("memory_gib", memory_gib, minimum=0)
    rows = nearest_rule(vllm_version).batches
    return next(row for row in rows if row.is_for(name, memory))


def architectures() -> tuple[str, ...]:
    """Return every architecture that vLLM registered since 0.7, sorted.

    Generation only, text and multimodal, and the Transformers fallback.
    """
    return tuple(version_table()["architectures"])


def is_registered(architecture: str, vllm_version: str) -> bool:
    """True if this vLLM has a class for an architecture, with or without LoRA.

    Raises ValueError for an architecture that no version had.
    """
    row, used = _row(architecture, vllm_version)
    return is_within(row.get("registered") or row["lora"], used)


def has_lora(architecture: str, vllm_version: str) -> bool:
    """True if this vLLM gives an architecture LoRA slots.

    False too where it has no class of that name (is_registered).
    Raises ValueError for an architecture that no version had.
    """
    row, used = _row(architecture, vllm_version)
    return is_within(row.get("lora", []), used)


def lora_spans(architecture: str) -> list[tuple[str, str]]:
    """Return the (first, last) versions in which an architecture has LoRA.

    Empty for a name that no version had.
    """
    row = version_table()["architectures"].get(architecture, {})
    return [(first, last) for first, last in row.get("lora", [])]


def embeddings_of(
    architecture: str,
    vllm_version: str,
    text_architecture: str | None = None,
) -> tuple[str, ...]:
    """Return the embeddings that get slots with no filter, sorted.

    From 0.10.0 the class's own and those of the language model inside it;
    where that is taken from text_config, text_architecture must name it.
    Raises ValueError for an architecture without LoRA in this version.
    """
    row, used = _with_lora(architecture, vllm_version)
    found = set(_words(row, "embeddings", used))
    if text_architecture is not None:
        text("text_architecture", text_architecture)
        if "text_config" not in row:
            raise ValueError(
                f"text_architecture is {shown(text_architecture)}, but "
                f"{architecture} names its own language model; leave it None"
            )
        inner, _ = _row(text_architecture, used, "text_architecture")
        if nearest_rule(used).has_inner_embeddings:
            found |= set(_words(inner, "embeddings", used))
    elif is_within(row.get("text_config", []), used):
        raise ValueError(
            f"text_architecture is None, but {architecture} takes its "
            "language model from text_config; name that architecture"
        )
    return tuple(sorted(found))


def takes_text_config(architecture: str, vllm_version: str) -> bool:
    """True if a wrapper takes its language model's class from text_config.

    Raises ValueError for an architecture without LoRA in this version.
    """
    row, used = _with_lora(architecture, vllm_version)
    return is_within(row.get("text_config", []), used)


def packed_modules(
    architecture: str, vllm_version: str
) -> dict[str, tuple[str, ...]] | None:
    """Return {module: the modules of an adapter that it packs}.

    None where vLLM fills it in when the model is built, as it does for
    experts and for the Transformers fallback's classes.
    Raises ValueError for an architecture without LoRA in this version.
    """
    row, used = _with_lora(architecture, vllm_version)
    number = value_at(row["packed"], used)
    if number is None:
        return None
    packed = version_table()["packed_modules"][number]
    return {name: tuple(members) for name, members in packed.items()}


def listed_modules(
    architecture: str, vllm_version: str
) -> tuple[str, ...] | None:
    """Return the only modules that get slots, or None: all linear layers.

    Releases before 0.8.0 listed them in the class of each architecture.
    Raises ValueError for an architecture without LoRA in this version.
    """
    row, used = _with_lora(architecture, vllm_version)
    if not nearest_rule(used).only_listed_modules or "listed" not in row:
        return None
    return tuple(_words(row, "listed", used))


def has_feature(architecture: str, vllm_version: str, feature: str) -> bool:
    """True if an architecture has a feature in this version.

    experts_3d: slots of all experts in one tensor with gate and up fused;
    tower: slots of vision tower and connector, if asked for;
    non_gated: experts without a gate_proj;
    lengthened: each slot adds extra_vocab rows to the base's embedding.
    """
    choice("feature", feature, FEATURES)
    row, used = _with_lora(architecture, vllm_version)
    return is_within(row.get(feature, []), used)


def _row(architecture, vllm_version, name="architecture"):
    """One architecture's row of the table, and the version to read it at."""
    _, used = parsed_version(vllm_version)
    rows = version_table()["architectures"]
    if text(name, architecture) not in rows:
        near = difflib.get_close_matches(architecture[:80], rows)
        also = f"; near it: {', '.join(near)}" if near else ""
        raise ValueError(
            f"{name} is {shown(architecture)}, but vLLM had none of that "
            f"name from 0.7 to 0.33{also}"
        )
    return rows[architecture], used


def _with_lora(architecture, vllm_version):
    row, used = _row(architecture, vllm_version)
    if not is_within(row.get("lora", []), used):
        spans = [f"{a} to {b}" for a, b in row.get("lora", [])]
        when = f"; it has from {', '.join(spans)}" if spans else ""
        raise ValueError(
            f"architecture is {shown(architecture)}, but has no LoRA in "
            f"vLLM {used}{when}"
        )
    return row, used


def _words(row, key, used):
    return (value_at(row.get(key, []), used) or "").split()
