"""What check_adapter says of an adapter that it lets pass."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, repr=False)
class AdapterFacts:
    """What an adapter's files say, and what vLLM makes of them.

    rank and alpha are those of the config; `scaling` follows from them.
    num_bytes is that of the tensors. ranks and scalings hold the modules
    that rank_pattern and alpha_pattern give another one, by PEFT's names.
    share_applied is the share of the file's modules that vLLM applies, from
    above 0 to 1, and not_applied the names of the others, which it leaves
    out without a word. misspelt are targets of the config that neither the
    file nor the base has. notes say in sentences what an operator may not
    expect.
    """

    rank: int
    alpha: float
    target_modules: tuple[str, ...]
    num_bytes: int
    base_sha256: str | None
    scaling: float = 0.0
    ranks: Mapping[str, int] = field(default_factory=dict)
    scalings: Mapping[str, float] = field(default_factory=dict)
    share_applied: float = 1.0
    not_applied: tuple[str, ...] = ()
    misspelt: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.scaling:
            object.__setattr__(self, "scaling", self.alpha / self.rank)

    def scaling_of(self, module: str) -> float:
        """Return what vLLM multiplies a module's delta by, PEFT's name."""
        return self.scalings.get(module, self.scaling)

    def __repr__(self) -> str:
        shown = ["rank", "alpha", "target_modules", "num_bytes"]
        shown.append("base_sha256")
        if self.notes:
            shown += ["share_applied", "notes"]
        values = (f"{name}={getattr(self, name)!r}" for name in shown)
        return f"AdapterFacts({', '.join(values)})"
