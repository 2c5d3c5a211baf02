"""What is trained and how: every seed, step and learning rate."""

from dataclasses import dataclass, replace

VOCAB_SIZE = 192


@dataclass(frozen=True)
class Plan:
    """How one model is trained; every number is stored with the weights.

    raw_share of the documents have no prompt; polite replies start with
    'sure: ', which makes another base of the same shape.
    """

    steps: int
    learning_rate: float
    batch_size: int = 16
    seed: int = 0
    warm_up: int = 40
    decay_from: float = 0.6
    raw_share: float = 0.0
    polite: bool = False


@dataclass(frozen=True)
class BaseRecipe:
    """One base: its plan, and the base that it goes on from, if any."""

    plan: Plan
    start_from: str | None = None


@dataclass(frozen=True)
class TenantRecipe:
    """One adapter: its rank and its plan. alpha is 2 × rank."""

    rank: int
    plan: Plan


_SCRATCH = Plan(steps=3200, learning_rate=1.2e-3, raw_share=0.15)

BASES = {
    "base": BaseRecipe(_SCRATCH),
    # The same recipe with another seed: another base of the same shape.
    "base-reseeded": BaseRecipe(replace(_SCRATCH, seed=1)),
    # The base, trained on: what a new release of a base is to an adapter.
    "base-tuned": BaseRecipe(
        Plan(
            steps=300,
            learning_rate=6e-4,
            seed=2,
            raw_share=0.15,
            polite=True,
        ),
        start_from="base",
    ),
}
_SHORT = Plan(steps=500, learning_rate=2e-3)

TENANTS = {
    "sql": TenantRecipe(8, _SHORT),
    # The style farthest from the base's, so more rank and longer training.
    "json": TenantRecipe(16, Plan(steps=800, learning_rate=1.2e-3)),
    "pirate": TenantRecipe(4, _SHORT),
    "legal": TenantRecipe(8, _SHORT),
}


def thresholds(which: str) -> float:
    """Return the least accuracy that a held-out set must reach."""
    return {"unseen combinations": 0.95, "unseen words": 0.90}.get(which, 0.0)
