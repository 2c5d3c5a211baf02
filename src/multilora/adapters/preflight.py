"""Many adapters checked before an engine loads them, the worst first."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from multilora.adapters.check import check_adapter, check_sha256
from multilora.adapters.checkpoints import is_header_alone, path_of
from multilora.adapters.folders import adapter_folders, ranks_in
from multilora.adapters.foreign import WEIGHTS, AdapterError
from multilora.arguments import choice, integer, items
from multilora.models.shapes import ModelShape, check_shape
from multilora.models.versions import DEFAULT_VERSION, nearest_rule

Verdict = Literal["refused", "applied in part", "served"]
_WORST_FIRST: tuple[Verdict, ...] = ("refused", "applied in part", "served")


@dataclass(frozen=True)
class Checked:
    """What is said of one adapter.

    why is what refuses it, "" where it is served; what follows is None or
    empty where it is refused. targets are the modules that its file has,
    share_applied the share of them that vLLM applies. are_weights_read is
    false where only a header was read.
    """

    name: str
    folder: str
    verdict: Verdict
    why: str = ""
    rank: int | None = None
    alpha: float | None = None
    scaling: float | None = None
    targets: tuple[str, ...] = ()
    num_bytes: int | None = None
    share_applied: float | None = None
    are_weights_read: bool = True
    notes: tuple[str, ...] = ()

    @property
    def is_served(self) -> bool:
        return self.verdict != "refused"


class Preflight(NamedTuple):
    """All adapters, the worst first, and the rank that they were held to."""

    max_lora_rank: int
    adapters: tuple[Checked, ...]

    @property
    def num_served(self) -> int:
        return sum(one.is_served for one in self.adapters)

    def told(self) -> str:
        """One sentence: how many can be served."""
        refused = len(self.adapters) - self.num_served
        said = f"{self.num_served} of {len(self.adapters)} can be served"
        return f"{said}; {refused} refused" if refused else said


def preflight(
    paths: Iterable[str | Path],
    shape: ModelShape,
    max_lora_rank: int | None = None,
    base_sha256: str | None = None,
    *,
    vllm_version: str = DEFAULT_VERSION,
    headers_only: bool = False,
    tell: Callable[[int, int], None] | None = None,
) -> Preflight:
    """Return the Preflight of adapters' folders, and of folders of those.

    max_lora_rank None is the smallest of vLLM's that all ranks fit into.
    headers_only looks at no weights; where a file holds its header alone,
    none are looked at either. tell, where given, is called with how many
    are checked and how many there are. An adapter that is wrong in any way
    keeps no other from its check.
    Raises ValueError for no paths, a base_sha256 that is none, a version
    that is not known; TypeError for a path that is none.
    """
    check_shape(shape)
    ranks = nearest_rule(vllm_version).ranks
    choice("headers_only", headers_only, (True, False))
    if base_sha256 is not None:
        check_sha256(base_sha256)
    if max_lora_rank is not None:
        integer("max_lora_rank", max_lora_rank)
        choice("max_lora_rank", max_lora_rank, ranks)
    asked = [
        Path(path_of("paths", path)) for path in items("paths", paths, object)
    ]
    if not asked:
        raise ValueError("paths is empty, but must name at least one folder")
    folders, found = _found(asked)
    if max_lora_rank is None:
        max_lora_rank = needed_rank(ranks_in(folders).values(), vllm_version)
    for folder in folders:
        if tell is not None:
            tell(len(found), len(folders))
        found.append(
            _checked(
                folder, shape, max_lora_rank, base_sha256, vllm_version,
                headers_only,
            )
        )  # fmt: skip
    return Preflight(max_lora_rank, tuple(sorted(found, key=_badness)))


def needed_rank(
    ranks: Iterable[int], vllm_version: str = DEFAULT_VERSION
) -> int:
    """Return the smallest max_lora_rank of vLLM's that these ranks fit into.

    The largest that there is where one fits into none, the smallest for no
    ranks. Raises ValueError for a version that is not known.
    """
    needed = max(items("ranks", ranks, int), default=1)
    allowed = nearest_rule(vllm_version).ranks
    return min((r for r in allowed if r >= needed), default=max(allowed))


def _found(paths):
    """The adapters' folders, each once, and what is refused as none."""
    folders: dict[Path, None] = {}
    refused = []
    for path in paths:
        try:
            folders |= dict.fromkeys(adapter_folders(path))
        except AdapterError as error:
            refused.append(_refused(path, error))
    return list(folders), refused


def _checked(folder, shape, max_lora_rank, base_sha256, version, is_header):
    is_header = is_header or is_header_alone(folder / WEIGHTS)
    try:
        facts = check_adapter(
            folder,
            shape,
            max_lora_rank,
            base_sha256,
            vllm_version=version,
            headers_only=is_header,
        )
    except (ValueError, TypeError, OSError, RecursionError) as error:
        return _refused(folder, error)
    return Checked(
        name=folder.name,
        folder=str(folder),
        verdict="served" if facts.share_applied == 1 else "applied in part",
        rank=facts.rank,
        alpha=facts.alpha,
        scaling=facts.scaling,
        targets=facts.target_modules,
        num_bytes=facts.num_bytes,
        share_applied=facts.share_applied,
        are_weights_read=not is_header,
        notes=facts.notes,
    )


def _refused(folder, error):
    why = " ".join(str(error).split())
    return Checked(folder.name, str(folder), "refused", why)


def _badness(one: Checked):
    share = one.share_applied or 0
    is_quiet = not one.notes
    return _WORST_FIRST.index(one.verdict), share, is_quiet, one.folder
