"""max_loras by what it serves: a row a number of slots, played."""

from collections.abc import Iterable

from multilora.arguments import integer, items
from multilora.plan.advice import SlotChoice
from multilora.plan.case import Case, check_case
from multilora.plan.options import MAX_SLOTS
from multilora.plan.played import Dials, ledger_of, play, setting_of
from multilora.plan.tenants import outcome_of


def slot_choices(case: Case, slot_counts: Iterable[int]) -> list[SlotChoice]:
    """Return a SlotChoice for each number of slots, smallest first.

    One engine with all tenants of the Case, the other dials as vLLM's server
    has them. A number above the tenants counts as the tenants. Raises
    ValueError for a count outside 1 to MAX_SLOTS.
    """
    case = check_case(case)
    most = len(case.tenants.names)
    counts = {
        min(most, integer("slot_counts", count, 1, MAX_SLOTS))
        for count in items("slot_counts", slot_counts, object)
    }
    return [_choice(case, count) for count in sorted(counts)]


def _choice(case: Case, max_loras: int) -> SlotChoice:
    tenants = range(len(case.tenants.names))
    dials = Dials(max_loras, *case.settings.batch(case.max_model_len))
    ledger = ledger_of(case, setting_of(case, tenants, dials))
    engines = play(case, [tenants], dials)
    return SlotChoice(
        max_loras,
        ledger.slot_bytes,
        ledger.kv_tokens_low,
        ledger.kv_tokens_high,
        outcome_of(engines, case.slo) if engines else None,
    )
