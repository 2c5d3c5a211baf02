"""A table of slots into a choice, or the reason why there is none."""

from collections.abc import Iterable
from typing import NamedTuple

from multilora.arguments import finite_number, integer, items
from multilora.plan.options import SlotOption
from multilora.units import percent

_MAX_DIGITS = 17  # beyond them two floats print alike only if they are equal


class Advice(NamedTuple):
    """The option to take, or None, and why.

    best is the option with the most hits among those that fit, or None.
    """

    option: SlotOption | None
    best: SlotOption | None
    reason: str


def recommend(
    options: Iterable[SlotOption],
    wanted_hit_rate: float,
    min_kv_tokens: int = 1,
) -> Advice:
    """Return the Advice for a table of slot_options.

    Its option is the smallest max_loras that leaves min_kv_tokens even at
    the low end of the range and reaches wanted_hit_rate (0 to 1). Where none
    does, the reason names what is in the way: card, traffic, or the table's
    end. vLLM refuses to start below kv_tokens_to_start(max_model_len).
    Raises ValueError for an
    empty table, a rate outside 0 to 1 and min_kv_tokens below 1.
    """
    options = sorted(items("options", options, SlotOption))
    wanted = finite_number("wanted_hit_rate", wanted_hit_rate, 0, 1)
    least = integer("min_kv_tokens", min_kv_tokens, minimum=1)
    if not options:
        raise ValueError("options is empty, but must hold at least one")
    fits = [o for o in options if o.kv_tokens_low >= least]
    hits = [o for o in options if o.hit_rate >= wanted]
    both = [o for o in fits if o.hit_rate >= wanted]
    best = max(fits, key=lambda o: (o.hit_rate, -o.max_loras), default=None)
    if both:
        return Advice(both[0], best, _chosen(both[0]))
    if not fits:
        return Advice(None, None, _card_full(options[0], least))
    if not hits:
        return Advice(None, best, _out_of_reach(options[-1], wanted))
    return Advice(None, best, _between(best, hits[0], wanted, least))


def _chosen(option):
    return (
        f"max_loras={option.max_loras} hits {percent(option.hit_rate)} and "
        f"leaves {option.kv_tokens_low:,} to {option.kv_tokens_high:,} KV "
        "tokens"
    )


def _card_full(smallest, least):
    return (
        f"the card is full: max_loras={smallest.max_loras} leaves "
        f"{smallest.kv_tokens_low:,} KV tokens at worst and {least:,} are "
        "wanted"
    )


def _out_of_reach(largest, wanted):
    hits, wanted = _told_apart(largest.hit_rate, wanted)
    if largest.uniform_rate < 1:
        return (
            f"the table ends too early: max_loras={largest.max_loras}, its "
            f"last, hits {hits} and {wanted} is wanted"
        )
    return (
        f"the traffic does not give it: max_loras={largest.max_loras}, the "
        f"most in the table, hits {hits} and {wanted} is wanted"
    )


def _between(best, needed, wanted, least):
    hits, wanted = _told_apart(best.hit_rate, wanted)
    reason = (
        f"the card is full: {wanted} takes max_loras="
        f"{needed.max_loras}, which leaves {needed.kv_tokens_low:,} KV "
        f"tokens at worst where {least:,} are wanted; max_loras="
        f"{best.max_loras} fits and hits {hits}"
    )
    if best.hit_rate <= best.uniform_rate + 0.05:
        reason += (
            ", no more than if all tenants asked alike: send fewer tenants "
            "to this engine"
        )
    return reason


def _told_apart(hit_rate, wanted):
    """Return both as text, with the decimals that show they differ."""
    for digits in range(1, _MAX_DIGITS):
        texts = percent(hit_rate, digits), percent(wanted, digits)
        if texts[0] != texts[1]:
            break
    return texts
