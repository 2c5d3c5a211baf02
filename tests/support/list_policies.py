"""Policies as plain lists: slow and obvious."""

import math


def hits_of(trace, num_slots, victim):
    """Hits of a list, oldest load first, from which victim(...) leaves.

    victim(now, cache, past) returns an adapter of the cache; past holds, for
    each cached adapter, the times of its load and of its uses since.
    """
    past, hits = {}, 0
    for now, adapter_id in enumerate(trace):
        if adapter_id in past:
            hits += 1
        elif len(past) == num_slots:
            del past[victim(now, list(past), past)]
        past.setdefault(adapter_id, []).append(now)
    return hits


def oldest_use(now, cache, past):
    return min(cache, key=lambda item: past[item][-1])


def oldest_load(now, cache, past):
    return cache[0]


def fewest_uses(now, cache, past):
    return min(cache, key=lambda item: (len(past[item]), past[item][-1]))


def sieve_by_the_paper(trace, num_slots):
    """Algorithm 1 of the paper, the queue as a list with its head in front."""
    queue, visited, hits, hand = [], {}, 0, None
    for adapter_id in trace:
        if adapter_id in queue:
            visited[adapter_id] = True
            hits += 1
            continue
        if len(queue) == num_slots:
            looked_at = queue[-1] if hand is None else hand
            while visited[looked_at]:
                visited[looked_at] = False
                ahead = before(queue, looked_at)
                looked_at = queue[-1] if ahead is None else ahead
            hand = before(queue, looked_at)
            queue.remove(looked_at)
        queue.insert(0, adapter_id)
        visited[adapter_id] = False
    return hits


def before(queue, item):
    """The neighbour towards the head, None for the head itself."""
    place = queue.index(item)
    return queue[place - 1] if place else None


def furthest_next_use(trace):
    def victim(now, cache, past):
        rest = trace[now:]
        return max(
            cache, key=lambda i: rest.index(i) if i in rest else math.inf
        )

    return victim
