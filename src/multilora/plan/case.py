"""What somebody wants to serve: base, card, tenants, traffic, promise."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from multilora.arguments import finite_number, integer, items, shown, text
from multilora.matmul.operands import BASE
from multilora.memory.settings import EngineSettings, LedgerOptions
from multilora.models.shapes import ModelShape, check_shape
from multilora.models.versions import nearest_rule
from multilora.plan.answer import Slo
from multilora.plan.costs import Costs, check_costs
from multilora.serving.workload import NS_PER_S, Workload, check_workload

LEAST_LENGTH = 8192  # of --max-model-len, where the traffic asks for less


class Tenants(NamedTuple):
    """Names, ranks and, where known, folders: one a tenant."""

    names: tuple[str, ...]
    ranks: tuple[int, ...]
    folders: tuple[str | None, ...]


class Case(NamedTuple):
    """What make_case checked. Adapter k of the workload is tenant k."""

    model: str
    shape: ModelShape
    card_gib: float
    tenants: Tenants
    workload: Workload
    slo: Slo
    costs: Costs
    max_model_len: int
    host_gib: float | None
    options: LedgerOptions

    @property
    def seconds(self) -> float:
        """From the first arrival to the last."""
        times = self.workload.arrival_ns
        return float(times[-1] - times[0]) / NS_PER_S

    @property
    def tensor_parallel_size(self) -> int:
        return self.options.get("tensor_parallel_size", 1)

    @property
    def vllm_version(self) -> str:
        return self.settings.vllm_version

    @property
    def settings(self) -> EngineSettings:
        return EngineSettings(self.card_gib, **self.options)

    @property
    def more_args(self) -> tuple[str, ...]:
        """What of the options `vllm serve` must get, beside the dials."""
        it = self.settings
        words: list[str] = []
        if it.quantization is not None:
            words += ["--quantization", it.quantization]
        for name in ("kv_cache_dtype", "lora_dtype"):
            if getattr(it, name) != "auto":
                words += [f"--{name.replace('_', '-')}", getattr(it, name)]
        for name in ("fully_sharded_loras", "enable_expert_parallel",
                     "enforce_eager"):  # fmt: skip
            if getattr(it, name):
                words.append(f"--{name.replace('_', '-')}")
        if it.pipeline_parallel_size > 1:
            words += ["--pipeline-parallel-size",
                      str(it.pipeline_parallel_size)]  # fmt: skip
        if not isinstance(it.target_modules, str | None):
            words += ["--lora-target-modules", *it.target_modules]
        return tuple(words)

    @property
    def slot_ranks(self) -> tuple[int, ...]:
        """Each tenant's rank as vLLM's slots come: rounded up."""
        sizes = nearest_rule(self.vllm_version).ranks
        return tuple(
            min(size for size in sizes if size >= rank)
            for rank in self.tenants.ranks
        )

    @property
    def loads(self) -> np.ndarray:
        """Tokens of each tenant, prompts and replies: its share of work."""
        it = self.workload
        is_tenant = it.adapter_ids != BASE
        tokens = it.prompt_tokens + it.output_tokens
        return np.bincount(
            it.adapter_ids[is_tenant].astype(np.intp),
            tokens[is_tenant],
            minlength=len(self.tenants.names),
        )

    @property
    def num_asking(self) -> int:
        """Tenants who ask for something."""
        return int((self.loads > 0).sum())


def make_case(
    model: str,
    shape: ModelShape,
    card_gib: float,
    workload: Workload,
    costs: Costs,
    *,
    names: Iterable[str] | None = None,
    ranks: Iterable[int] = (16,),
    folders: Iterable[str | None] | None = None,
    slo: Slo | None = None,
    host_gib: float | None = None,
    **options: object,
) -> Case:
    """Return the Case of a base, a card and tenants with their traffic.

    model is what `vllm serve` gets. ranks is one for all tenants or one a
    tenant; names default to tenant-0, tenant-1, … host_gib is the host
    memory, in GiB, that an engine's CPU tier may fill; None: all of its
    tenants' copies. options are those of memory_ledger, by name. Where
    max_model_len is not among them it is the power of two from LEAST_LENGTH
    on that holds twice the longest request, at most the model's own. Raises
    ValueError for traffic without adapters, a rank that no slot holds,
    another number of names, ranks or folders, or a max_model_len below the
    longest request.
    """
    workload = check_workload(workload)
    if not workload.is_adapter.any():
        raise ValueError("workload holds no request with an adapter")
    case = Case(
        text("model", model),
        check_shape(shape),
        card_gib,
        _tenants(workload.num_adapters, names, ranks, folders),
        workload,
        slo or Slo(),
        check_costs(costs),
        0,
        None if host_gib is None else finite_number("host_gib", host_gib, 0),
        LedgerOptions(**options),  # type: ignore[typeddict-item]
    )
    most = max(nearest_rule(case.settings.vllm_version).ranks)
    if max(case.tenants.ranks) > most:
        raise ValueError(
            f"ranks holds {max(case.tenants.ranks)}, but a slot of vLLM "
            f"{case.vllm_version} holds at most {most}"
        )
    return case._replace(max_model_len=_max_model_len(case))


def check_case(case: object) -> Case:
    """Return a Case as it is; raise TypeError for anything else."""
    if not isinstance(case, Case):
        raise TypeError(f"case is {shown(case)}, but must be a Case")
    return case


def _tenants(num, names, ranks, folders) -> Tenants:
    ranks = [
        integer("ranks", rank, 1) for rank in items("ranks", ranks, object)
    ]
    ranks = ranks * num if len(ranks) == 1 else ranks
    if names is None:
        names = [f"tenant-{number}" for number in range(num)]
    names = items("names", names, str)
    folders = [None] * num if folders is None else folders
    folders = items("folders", folders, str | None)
    for name, row in (("names", names), ("ranks", ranks),
                      ("folders", folders)):  # fmt: skip
        if len(row) != num:
            raise ValueError(
                f"{name} holds {len(row)}, but the traffic has {num} adapters"
            )
    return Tenants(tuple(names), tuple(ranks), tuple(folders))


def _max_model_len(case: Case) -> int:
    """The argument, checked, or what the traffic asks for."""
    load = case.workload
    longest = int((load.prompt_tokens + load.output_tokens).max())
    own = case.shape.max_position_embeddings or 2**24
    given = case.options.get("max_model_len")
    if given is None:
        wanted = max(LEAST_LENGTH, 1 << (2 * longest - 1).bit_length())
        given = min(own, wanted)
    if longest > given:
        raise ValueError(
            f"max_model_len is {given:,}, but the longest request of the "
            f"traffic has {longest:,} tokens"
        )
    return given
