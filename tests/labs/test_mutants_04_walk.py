"""Lab 04, scheduler and curve: each wrong solution is named by its slip."""

import numpy as np

from multilora.cache.hitrate import lru_hit_curve
from multilora.labs.spec_04_models import plain_hits, plain_walk
from mutants import assert_accepted, each_named


def slip(**wrong):
    def walk(waiting, running, max_loras, max_num_seqs=None):
        return plain_walk(waiting, running, max_loras, max_num_seqs, **wrong)

    return walk


def walked(change):
    """A right walk whose two results are changed afterwards."""

    def walk(waiting, running, max_loras, max_num_seqs=None):
        right = plain_walk(waiting, running, max_loras, max_num_seqs)
        return change(waiting, *right)

    return walk


def no_seats(waiting, running, max_loras):
    return plain_walk(waiting, running, max_loras)


def loses_the_rest(waiting, running, max_loras, max_num_seqs=None):
    seats = max_num_seqs or len(waiting) + len(running)
    looked_at = waiting[: seats - len(running)]
    return plain_walk(looked_at, running, max_loras, max_num_seqs)


def pops(waiting, running, max_loras, max_num_seqs=None):
    right = plain_walk(waiting, running, max_loras, max_num_seqs)
    del waiting[0]
    return right


def starts_them(waiting, running, max_loras, max_num_seqs=None):
    right = plain_walk(waiting, running, max_loras, max_num_seqs)
    running.extend(right[0])
    return right


def base_first(waiting, admitted, deferred):
    return sorted(admitted, key=lambda item: item[1]), deferred


def seat_is_zero(waiting, running, max_loras, max_num_seqs=None):
    """Deferred ones take a seat too."""
    if max_num_seqs is None:
        return plain_walk(waiting, running, max_loras)
    stop = max_num_seqs - len(running)
    admitted, deferred = plain_walk(waiting[:stop], running, max_loras)
    return admitted, deferred + waiting[stop:]


def curve(change):
    """The right curve, changed; change takes it, the trace and K too."""

    def changed(trace, num_adapters=None):
        right = lru_hit_curve(trace, num_adapters)
        return change(right, trace, len(right))

    return changed


def by_caches(trace, num_adapters=None, goes="least recently used"):
    num_slots = num_adapters or len({*trace} - {-1})
    return [plain_hits(trace, n, goes) for n in range(1, num_slots + 1)]


def in_order_of_arrival(trace, num_adapters=None):
    return by_caches(trace, num_adapters, "first in")


def base_in_a_slot(trace, num_adapters=None):
    num_slots = num_adapters or len({*trace} - {-1})
    ids = [99 if item == -1 else item for item in trace]
    return by_caches(ids, num_slots)


def up_to_the_largest_id(trace, num_adapters=None):
    return lru_hit_curve(trace, num_adapters or max(trace) + 1)


def ignores_num_adapters(trace, num_adapters=None):
    return lru_hit_curve(trace)


def drops_the_base_from_the_list(trace, num_adapters=None):
    right = lru_hit_curve(trace, num_adapters)
    while -1 in trace:
        trace.remove(-1)
    return right


WALKS = [
    (slip(is_barrier=True), "barrier instead of defer"),
    (slip(counts_running=False), "running requests were forgotten"),
    (slip(base=()), "the base counts as an adapter"),
    (slip(base=(-1, 0)), "adapter 0 passes as the base"),
    (slip(counts_requests=True), "each request takes a slot"),
    (slip(passes_base=True), "a seat is missing for the base"),
    (slip(extra_slots=1), "one adapter too many"),
    (slip(extra_slots=-1), "one adapter too few"),
    (slip(has_seats=False), "max_num_seqs is ignored"),
    (slip(seats_running=False), "they sit on seats"),
    (slip(extra_seats=1), "one seat too many"),
    (slip(extra_seats=-1), "one seat too few"),
    (seat_is_zero, "only those admitted take a seat"),
    (no_seats, "wanted is def schedule_step(waiting, running, max_loras, max"),
    (loses_the_rest, "none may be lost or doubled"),
    (pops, "changed in place"),
    (starts_them, "changed in place"),
    (walked(base_first), "admitted is not in the queue's order"),
    (walked(lambda w, a, d: (a, d[::-1])), "came back in reverse"),
    (walked(lambda w, a, d: (a, a)), "none may be lost or doubled"),
    (walked(lambda w, a, d: (d, a)), "admitted and deferred are swapped"),
    (walked(lambda w, a, d: ([x for x, _ in a], d)), "which did not wait"),
    (walked(lambda w, a, d: (x for x in (a, d))), "must be (admitted, def"),
    (walked(lambda w, a, d: (iter(a), d)), "admitted is a list_iterator"),
    (walked(lambda w, a, d: [a, d]), "must be (admitted, deferred)"),
    (walked(lambda w, a, d: a), "must be (admitted, deferred)"),
]
CURVES = [
    (curve(lambda y, t, k: np.diff(y, prepend=0)), "hits add up"),
    (curve(lambda y, t, k: np.append(0, y[:-1])), "off by one"),
    (curve(lambda y, t, k: np.append(y[1:], y[-1])), "off by one"),
    (curve(lambda y, t, k: y / len(t)), "are these rates?"),
    (curve(lambda y, t, k: sum(i >= 0 for i in t) - y), "these are misses"),
    (curve(lambda y, t, k: y + len({*t} - {-1})), "is no hit"),
    (curve(lambda y, t, k: y[-1]), "but must be an array or list"),
    (curve(lambda y, t, k: dict(enumerate(y, 1))), "but must be an array"),
    (curve(lambda y, t, k: y[:-1]), "entries"),
    (curve(lambda y, t, k: y[::-1]), "upside down"),
    (in_order_of_arrival, "first in, first out"),
    (base_in_a_slot, "the base was counted"),
    (up_to_the_largest_id, "distinct adapters"),
    (ignores_num_adapters, "num_adapters is ignored"),
    (drops_the_base_from_the_list, "changed in place"),
    (lambda trace: lru_hit_curve(trace), "wanted is def lru_hit_curve(trace"),
]
MUTANTS = [("schedule_step", *row) for row in WALKS]
MUTANTS += [("lru_hit_curve", *row) for row in CURVES]


test_a_mutant_is_named = each_named(MUTANTS)


def test_variants_are_accepted():
    assert_accepted("schedule_step", slip())
    assert_accepted("lru_hit_curve", by_caches)
    assert_accepted("lru_hit_curve", curve(lambda y, t, k: tuple(y.tolist())))
    assert_accepted("lru_hit_curve", curve(lambda y, t, k: y.astype(float)))
