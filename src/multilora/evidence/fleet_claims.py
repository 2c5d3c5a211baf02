"""Claims and set-ups that others published about fleets with adapters."""

from typing import Any

from multilora.arguments import choice
from multilora.published import published


def fleet_claims() -> dict[str, dict[str, Any]]:
    """Return the claims by their ids (data/fleet_claims.json), a copy."""
    return published("fleet_claims")["claims"]


def fleet_claim(name: str) -> dict[str, Any]:
    """Return one claim by its id; ValueError for another."""
    claims = fleet_claims()
    return claims[choice("name", name, claims)]
