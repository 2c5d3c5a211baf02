"""The engine in numba: the same steps as plain, equal to the nanosecond.

Queues are linked through the records of requests, departures kept in a ring
of steps, the CPU tier in a list by last use. Names are those of plain, where
each part is easier to read. All in one file: numba's cache of compiled code
does not see that a function of another file has changed.

No function makes an array, so that each does without numba's own memory
management (_nrt=False): counting references to records took half the time.
"""

import numpy as np
from numba import njit

from multilora.cache.tiers import AdapterTiers
from multilora.cache.walks import WALKS
from multilora.serving.cost import MAX_NS, StepCost, require_counted
from multilora.serving.limits import Limits
from multilora.serving.memory import (
    NONE,
    NOTES,
    Memory,
    new_memory,
    new_numbers,
)
from multilora.serving.trace import Totals, Trace
from multilora.serving.workload import Workload

PPM = 10**6


def run_engine(
    workload: Workload,
    limits: Limits,
    cost: StepCost,
    order: np.ndarray,
    tiers: AdapterTiers,
    until_ns: int = MAX_NS,
) -> Trace:
    """Return the Trace of a run; order ranks the adapters in a walk.

    tiers is where the adapters are at the start; the run leaves it as it is.
    Steps that would begin at until_ns or later are not run.
    """
    memory = new_memory(workload, limits, order, tiers)
    num_to_settle = WALKS[limits.walk].num_to_settle
    numbers = new_numbers(limits, cost, num_to_settle, tiers)
    numbers["num_known"] = workload.num_requests
    run_until(memory, numbers, min(until_ns, MAX_NS - 1))
    require_counted(min(numbers["now"][0], numbers["seat_ns"][0]))
    notes = [_note(memory, name) for name in Trace._fields[:-1]]
    totals = [int(numbers[name][0]) for name in Totals._fields]
    return Trace._make([*notes, Totals(*totals)])


def _note(memory, name):
    if name in NOTES:
        return memory.requests[name].copy()
    num = len(memory.requests)
    kv = memory.kv[name]
    return kv.copy() if len(kv) == num else np.zeros(num, dtype=np.int64)


@njit(cache=True, error_model="numpy", _nrt=False)
def run_until(w: Memory, numbers: np.ndarray, until: int) -> None:
    """Run all steps that begin before `until`, as PlainEngine does."""
    s = numbers[0]
    s.until = until
    while True:
        _join(w, s)
        if s.num_running == 0 and s.num_waiting == 0:
            if s.num_joined == s.num_known:
                return
            arrival = w.requests[s.num_joined].arrival
            if arrival >= until:
                return
            s.now = arrival
        elif s.now >= until:
            return
        else:
            _run_step(w, s)
            if s.now < 0 or s.seat_ns < 0:  # beyond 2**63
                return


@njit(cache=True, error_model="numpy", _nrt=False)
def num_left(w: Memory, numbers: np.ndarray, until: int) -> int:
    """Run until `until`; return how many requests had finished by then."""
    run_until(w, numbers, until)
    s = numbers[0]
    num = s.num_left
    while num > 0 and w.requests[w.left[num - 1]].finished > until:
        num -= 1
    return num


@njit(error_model="numpy", _nrt=False)
def _join(w, s):
    while s.num_joined < s.num_known:
        r = w.requests[s.num_joined]
        if r.arrival > s.now:
            return
        a = w.adapters[r.adapter]
        if a.front == NONE:
            a.front = s.num_joined
        else:
            w.requests[a.back].behind = s.num_joined
        a.back = s.num_joined
        a.num_behind += 1
        s.num_waiting += 1
        s.num_ready += a.is_base or a.running > 0
        r.blocked_at_join = _blocked_ns(s, a)
        if s.has_blocks:
            w.kv[s.num_joined].since = s.kv_full_ns
        r.joined = s.now
        r.arrival_load = max(0, s.load_end - r.arrival)
        s.num_joined += 1


@njit(error_model="numpy", _nrt=False)
def _run_step(w, s):
    num_preempted = _grow(w, s) if s.has_blocks else 0
    budget = s.max_num_batched_tokens - s.num_decoding
    room, num_served = budget, 0
    if s.cut != NONE:
        w.served[0], num_served = s.cut, 1
        room = _prefill(w, s, s.cut, s.cut_left, room)
    is_kv_full = num_preempted > 0
    while room > 0 and not is_kv_full and s.num_running < s.max_num_seqs:
        request = _first_that_fits(w, s)
        if request == NONE:
            break
        r = w.requests[request]
        if s.has_blocks:
            stored = r.to_prefill + w.kv[request].hit
            is_kv_full = _num_blocks(s, stored) > s.free_blocks
        if not is_kv_full:
            _seat(w, s, r, request)
            w.served[num_served] = request
            num_served += 1
            if s.has_blocks:
                s.free_blocks -= _num_blocks(s, w.kv[request].hit)
            room = _prefill(w, s, request, r.to_prefill, room)
    has_room = room > 0 and s.num_running < s.max_num_seqs and not is_kv_full
    is_blocking = has_room and s.num_active == s.max_loras
    load_ns = _load(w, s, num_served)
    duration = load_ns + _compute_ns(s, budget - room)
    is_alone = num_served > 0 or num_preempted > 0
    num_same = 1 if is_alone else _num_alike(w, s, duration)
    _pass_time(w, s, duration, load_ns, num_same, is_blocking, is_kv_full)
    _hand_out(w, s, num_served, load_ns)


@njit(error_model="numpy", _nrt=False)
def _compute_ns(s, num_prompt_tokens):
    beyond_seqs = max(0, s.num_running - s.seq_knee)
    beyond_tokens = max(0, num_prompt_tokens - s.prompt_token_knee)
    beyond_adapters = max(0, s.num_active - s.adapter_knee)
    plain_ns = s.step_ns + s.seq_ns * (s.num_running - beyond_seqs)
    plain_ns += s.far_seq_ns * beyond_seqs
    plain_ns += s.prompt_token_ns * (num_prompt_tokens - beyond_tokens)
    plain_ns += s.far_prompt_token_ns * beyond_tokens
    ns = plain_ns * (PPM + s.adapter_ppm * s.num_active) // PPM
    ns += s.adapter_ns * (s.num_active - beyond_adapters)
    ns += s.far_adapter_ns * beyond_adapters
    return ns + (s.lora_ns if s.num_active else 0)


@njit(error_model="numpy", _nrt=False)
def _stored(w, request):
    return w.requests[request].to_prefill + w.kv[request].hit


@njit(error_model="numpy", _nrt=False)
def _num_blocks(s, num_tokens):
    return (num_tokens + s.block_size - 1) // s.block_size


@njit(error_model="numpy", _nrt=False)
def _num_new(w, s, request, left, tokens):
    done = _stored(w, request) - left
    return _num_blocks(s, done + tokens) - _num_blocks(s, done)


@njit(error_model="numpy", _nrt=False)
def _grow(w, s):
    num_preempted = 0
    while _num_needed(w, s) > s.free_blocks:
        _preempt(w, s, s.newest_running)
        num_preempted += 1
    s.free_blocks -= w.begins[s.step % s.block_size]
    return num_preempted


@njit(error_model="numpy", _nrt=False)
def _num_needed(w, s):
    needed = w.begins[s.step % s.block_size]
    if s.cut != NONE:
        room = s.max_num_batched_tokens - s.num_decoding
        tokens = min(s.cut_left, room)
        needed += _num_new(w, s, s.cut, s.cut_left, tokens)
    return needed


@njit(error_model="numpy", _nrt=False)
def _preempt(w, s, request):
    r, k = w.requests[request], w.kv[request]
    if s.cut == request:
        done = _stored(w, request) - s.cut_left
        s.free_blocks += _num_blocks(s, done)
        s.cut = NONE
    else:
        _stop_decoding(w, s, request)
        num_made = s.step - k.decodes_from + 1
        r.to_prefill += num_made
        r.to_make -= num_made
        s.free_blocks += _num_blocks(s, _stored(w, request) - 1)
        _unlink_leaving(w, request)
    k.num_preemptions += 1
    s.num_preemptions += 1
    k.since = s.now
    r.is_seated = 0
    _unlink_running(w, s, k)
    s.num_running -= 1
    _let_go(w, s, r.adapter)
    s.num_waiting += 1
    k.place = -s.num_preemptions
    k.before, k.after = NONE, s.returned
    if s.returned != NONE:
        w.kv[s.returned].before = request
    s.returned = request
    a = w.adapters[r.adapter]
    r.behind = a.front
    if a.front == NONE:
        a.back = request
    a.front = request
    a.num_behind += 1
    s.num_ready += a.is_base or a.running > 0


@njit(error_model="numpy", _nrt=False)
def _unlink_leaving(w, request):
    r = w.requests[request]
    place = w.kv[request].last_step & (len(w.leaving) - 1)
    other = w.leaving[place]
    if other == request:
        w.leaving[place] = r.leaves_after
        return
    while w.requests[other].leaves_after != request:
        other = w.requests[other].leaves_after
    w.requests[other].leaves_after = r.leaves_after


@njit(error_model="numpy", _nrt=False)
def _unlink_running(w, s, k):
    if k.after == NONE:
        s.newest_running = k.before
    _take_out(w, k)


@njit(error_model="numpy", _nrt=False)
def _unlink_returned(w, s, k):
    if k.before == NONE:
        s.returned = k.after
    _take_out(w, k)


@njit(error_model="numpy", _nrt=False)
def _take_out(w, k):
    if k.before != NONE:
        w.kv[k.before].after = k.after
    if k.after != NONE:
        w.kv[k.after].before = k.before


@njit(error_model="numpy", _nrt=False)
def _stop_decoding(w, s, request):
    s.num_decoding -= 1
    if s.has_blocks:
        since = w.kv[request].decodes_from
        w.begins[(since - _stored(w, request)) % s.block_size] -= 1


@njit(error_model="numpy", _nrt=False)
def _prefill(w, s, request, left, room):
    tokens = min(left, room)
    if s.has_blocks:
        s.free_blocks -= _num_new(w, s, request, left, tokens)
    s.cut = request if left > tokens else NONE
    s.cut_left = left - tokens
    return room - tokens


@njit(error_model="numpy", _nrt=False)
def _first_that_fits(w, s):
    if s.num_active < s.max_loras:
        if s.returned != NONE:
            return s.returned
        while s.oldest < s.num_joined and w.requests[s.oldest].is_seated:
            s.oldest += 1
        return s.oldest if s.oldest < s.num_joined else NONE
    if s.num_ready == 0:
        return NONE
    first = w.adapters[len(w.adapters) - 1].front
    for place in range(s.num_active):
        front = w.adapters[w.active[place]].front
        if front != NONE and (first == NONE or _is_ahead(w, s, front, first)):
            first = front
    return first


@njit(error_model="numpy", _nrt=False)
def _is_ahead(w, s, request, other):
    if s.has_blocks:
        return w.kv[request].place < w.kv[other].place
    return request < other


@njit(error_model="numpy", _nrt=False)
def _seat(w, s, r, request):
    a = w.adapters[r.adapter]
    a.front = r.behind
    a.num_behind -= 1
    s.num_waiting -= 1
    s.num_running += 1
    blocked = _blocked_ns(s, a)
    if a.is_base or a.running > 0:
        s.num_ready -= 1
    else:
        a.blocked = blocked
        s.num_ready += a.num_behind
        s.num_walks = s.num_to_settle
        _insert_active(w, s, r.adapter)
    a.running += 1
    r.is_seated = 1
    is_first = True
    if s.has_blocks:
        is_first = w.kv[request].num_preemptions == 0
        _join_running(w, s, request)
    if is_first:
        r.admitted = s.now
        r.deferred = blocked - r.blocked_at_join


@njit(error_model="numpy", _nrt=False)
def _join_running(w, s, request):
    k = w.kv[request]
    if k.num_preemptions == 0:
        k.kv_blocked = s.kv_full_ns - k.since
    else:
        _unlink_returned(w, s, k)
        if w.requests[request].first_token == 0:
            k.preempted += s.now - k.since
    k.before, k.after = s.newest_running, NONE
    if s.newest_running != NONE:
        w.kv[s.newest_running].after = request
    s.newest_running = request


@njit(error_model="numpy", _nrt=False)
def _blocked_ns(s, a):
    if a.is_base or a.running > 0:
        return a.blocked
    return a.blocked + s.full_ns - a.left_at


@njit(error_model="numpy", _nrt=False)
def _load(w, s, num_served):
    if s.num_walks == 0:
        return 0
    s.num_walks -= 1
    loads, reads = s.num_slot_loads, s.num_disk_loads
    if s.num_to_settle == 1:  # "one by one"
        for place in range(s.num_active):
            a = w.adapters[w.active[place]]
            a.loaded_from = a.distance
            _use(w, s, w.active[place], a)
    else:
        _walk_residents_first(w, s)
    for place in range(num_served):
        r = w.requests[w.served[place]]
        if r.admitted == s.now:
            r.loaded_from = w.adapters[r.adapter].loaded_from
    loads, reads = s.num_slot_loads - loads, s.num_disk_loads - reads
    return s.slot_load_ns * loads + s.disk_load_ns * reads


@njit(error_model="numpy", _nrt=False)
def _walk_residents_first(w, s):
    for place in range(s.num_active):
        a = w.adapters[w.active[place]]
        a.loaded_from = a.distance
    for distance in range(3):
        for place in range(s.num_active):
            a = w.adapters[w.active[place]]
            if a.loaded_from == distance:
                _use(w, s, w.active[place], a)


@njit(error_model="numpy", _nrt=False)
def _use(w, s, adapter, a):
    if a.distance == 2:
        s.num_disk_loads += 1
        if s.num_copies == s.max_cpu_loras:
            _drop_oldest_copy(w, s)
        s.num_copies += 1
    else:
        if s.oldest_slot == adapter:
            s.oldest_slot = a.newer
        _unlink(w, s, a)
    if a.distance != 0:
        s.num_slot_loads += 1
        if s.num_slots == s.max_loras:
            oldest = w.adapters[s.oldest_slot]
            oldest.distance = 1
            s.oldest_slot = oldest.newer
            s.num_slots -= 1
        s.num_slots += 1
    a.distance = 0
    _append(w, s, adapter, a)
    if s.oldest_slot == NONE:
        s.oldest_slot = adapter


@njit(error_model="numpy", _nrt=False)
def _drop_oldest_copy(w, s):
    a = w.adapters[s.oldest_copy]
    if a.distance == 0:  # who loses the copy loses the slot
        s.oldest_slot = a.newer
        s.num_slots -= 1
    a.distance = 2
    _unlink(w, s, a)
    s.num_copies -= 1


@njit(error_model="numpy", _nrt=False)
def _unlink(w, s, a):
    if a.older == NONE:
        s.oldest_copy = a.newer
    else:
        w.adapters[a.older].newer = a.newer
    if a.newer == NONE:
        s.newest_copy = a.older
    else:
        w.adapters[a.newer].older = a.older


@njit(error_model="numpy", _nrt=False)
def _append(w, s, adapter, a):
    a.older, a.newer = s.newest_copy, NONE
    if s.newest_copy == NONE:
        s.oldest_copy = adapter
    else:
        w.adapters[s.newest_copy].newer = adapter
    s.newest_copy = adapter


@njit(error_model="numpy", _nrt=False)
def _num_alike(w, s, duration):
    if s.num_walks:
        return 1
    num = 1
    while w.leaving[(s.step + num - 1) & (len(w.leaving) - 1)] == NONE:
        num += 1
    until = s.until
    if s.num_joined < s.num_known:
        until = min(until, w.requests[s.num_joined].arrival)
    num = min(num, (until - s.now - 1) // duration + 1)
    return 1 + _num_steps_that_fit(w, s, num - 1) if s.has_blocks else num


@njit(error_model="numpy", _nrt=False)
def _num_steps_that_fit(w, s, most):
    if s.num_decoding * (most // s.block_size + 1) <= s.free_blocks:
        return most
    num = s.free_blocks // s.num_decoding * s.block_size
    left = s.free_blocks % s.num_decoding
    while num < most:
        needed = w.begins[(s.step + 1 + num) % s.block_size]
        if needed > left:
            break
        left -= needed
        num += 1
    return min(num, most)


@njit(error_model="numpy", _nrt=False)
def _num_needed_over(w, s, num_steps):
    rounds = num_steps // s.block_size
    needed = rounds * s.num_decoding
    place = (s.step + 1) % s.block_size
    for _ in range(num_steps - rounds * s.block_size):
        needed += w.begins[place]
        place += 1
        if place == s.block_size:
            place = 0
    return needed


@njit(error_model="numpy", _nrt=False)
def _pass_time(w, s, duration, load_ns, num_same, is_blocking, is_kv_full):
    if s.has_blocks:
        s.free_blocks -= _num_needed_over(w, s, num_same - 1)
        num_held = s.num_blocks - s.free_blocks
        s.most_blocks = max(s.most_blocks, num_held)
        share_ppm = num_held * PPM // s.num_blocks
        s.kv_ns += duration * num_same * share_ppm // PPM
    s.load_end = s.now + load_ns
    s.num_steps += num_same
    s.step = s.num_steps
    duration *= num_same
    s.now += duration
    if is_blocking:
        s.full_ns += duration
    if is_kv_full:
        s.kv_full_ns += duration
    s.busy_ns += duration
    s.load_ns += load_ns
    s.seat_ns += duration * s.num_running
    s.active_ns += duration * s.num_active


@njit(error_model="numpy", _nrt=False)
def _hand_out(w, s, num_served, load_ns):
    last_bit = len(w.leaving) - 1
    for place in range(num_served):
        request = w.served[place]
        r = w.requests[request]
        is_first = r.first_token == 0
        if is_first:
            r.prefill_load += load_ns
        if request != s.cut:
            if is_first:
                r.first_token = s.now
            last_step = s.step + r.to_make - 2
            r.leaves_after = w.leaving[last_step & last_bit]
            w.leaving[last_step & last_bit] = request
            s.num_decoding += 1
            if s.has_blocks:
                k = w.kv[request]
                k.decodes_from, k.last_step = s.step, last_step
                stored = r.to_prefill + k.hit
                w.begins[(s.step - stored) % s.block_size] += 1
    request = w.leaving[(s.step - 1) & last_bit]
    w.leaving[(s.step - 1) & last_bit] = NONE
    while request != NONE:
        _leave(w, s, request)
        request = w.requests[request].leaves_after


@njit(error_model="numpy", _nrt=False)
def _leave(w, s, request):
    r = w.requests[request]
    r.finished = s.now
    w.left[s.num_left] = request
    s.num_left += 1
    _stop_decoding(w, s, request)
    s.num_running -= 1
    if s.has_blocks:
        k = w.kv[request]
        num_decoded = s.step - k.decodes_from
        tokens = _stored(w, request) + num_decoded
        s.free_blocks += _num_blocks(s, tokens)
        _unlink_running(w, s, k)
    _let_go(w, s, r.adapter)


@njit(error_model="numpy", _nrt=False)
def _let_go(w, s, adapter):
    a = w.adapters[adapter]
    a.running -= 1
    if a.running == 0 and not a.is_base:
        _remove_active(w, s, adapter)
        a.left_at = s.full_ns
        s.num_ready -= a.num_behind
        s.num_walks = s.num_to_settle


@njit(error_model="numpy", _nrt=False)
def _insert_active(w, s, adapter):
    place, rank = s.num_active, w.adapters[adapter].rank
    while place > 0 and w.adapters[w.active[place - 1]].rank > rank:
        w.active[place] = w.active[place - 1]
        place -= 1
    w.active[place] = adapter
    s.num_active += 1


@njit(error_model="numpy", _nrt=False)
def _remove_active(w, s, adapter):
    place = 0
    while w.active[place] != adapter:
        place += 1
    s.num_active -= 1
    while place < s.num_active:
        w.active[place] = w.active[place + 1]
        place += 1
