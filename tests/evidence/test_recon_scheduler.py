"""The walk against vLLM's Scheduler; both machines on a running engine."""

import numpy as np
import pytest

from kv_scheduler import KvScheduler
from multilora import engine, tenants
from multilora.cache.tiers import AdapterTiers
from multilora.serving.budget import Sequence, plan_step
from multilora.tenants import folder_of

pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings("ignore")]

NUM_TRIALS, MIN_STEPS = 90, 2000


class Model:
    """Our side of a trial: two queues, and what each request still wants."""

    def __init__(self, max_loras, seats, budget):
        self.limits = (max_loras, seats, budget)
        self.waiting, self.running = [], []
        self._left = {}  # request id -> tokens it still makes

    def add(self, request_id, adapter_id, num_prompt_tokens, max_tokens):
        self.waiting.append(
            Sequence(request_id, adapter_id, num_prompt_tokens)
        )
        self._left[request_id] = max_tokens

    def step(self):
        """Return {request id: tokens}, and move on as the engine does."""
        plan = plan_step(self.waiting, self.running, *self.limits)
        tokens, self.waiting = plan.num_scheduled_tokens, plan.deferred
        after = []
        for item in self.running + plan.admitted:
            given = tokens.get(item.request_id, 0)
            rest = item.num_tokens - given
            if rest == 0:  # a token comes out, and is the next one to run
                self._left[item.request_id] -= 1
                rest = 1
            if self._left[item.request_id]:
                after.append(item._replace(num_tokens=rest))
        self.running = after
        return tokens


def ids(queue):
    return [item.request_id for item in queue]


def steps(rng, ours, theirs, most_prompt, most_tokens):
    """Yield once a step, when both have got the requests that came."""
    arrivals, number = rng.poisson(0.8, 24).tolist(), 0
    while arrivals or ours.waiting or ours.running:
        for _ in range(arrivals.pop(0) if arrivals else 0):
            request = (
                f"r{number}",
                int(rng.integers(-1, 6)),
                int(rng.integers(1, most_prompt + 1)),
                int(rng.integers(1, most_tokens + 1)),
            )
            ours.add(*request)
            theirs.add(*request)
            number += 1
        yield


def test_admissions_order_and_tokens_are_those_of_vllms_scheduler(findings):
    from multilora.engine.bare_scheduler import BareScheduler

    rng = np.random.default_rng(8)
    num_steps = num_deferred = num_cut = 0
    for _ in range(NUM_TRIALS):
        limits = (
            int(rng.integers(1, 5)),  # max_loras
            int(rng.integers(1, 9)),  # seats
            int(rng.choice([3, 8, 24, 64, 256])),  # tokens a step
        )
        theirs = BareScheduler(tenants.folder_of("base"), *limits)
        ours = Model(*limits)
        for _ in steps(rng, ours, theirs, most_prompt=39, most_tokens=6):
            prompts = {i.request_id: i.num_tokens for i in ours.waiting}
            scheduled = theirs.step()
            assert list(ours.step().items()) == list(scheduled.items())
            assert ids(ours.waiting) == theirs.waiting
            assert ids(ours.running) == theirs.running
            num_deferred += len(ours.waiting)
            num_cut += any(
                scheduled[key] < prompts.get(key, 0) for key in scheduled
            )
            num_steps += 1
    assert num_steps >= MIN_STEPS
    assert num_deferred > 1000 and num_cut > 100
    findings.add(
        key="scheduler",
        claim="who is admitted, in which order, with how many tokens, and "
        "who waits: base rows, seats, token budgets, cut prompts",
        ours="serving.budget.plan_step",
        vllm="schedule",
        cases=num_steps,
        unit="steps that differ",
    )


def test_preemptions_are_those_of_vllms_scheduler(findings):
    """Few KV blocks: who is let in, who loses blocks, who computes again."""
    from multilora.engine.bare_scheduler import BareScheduler

    rng = np.random.default_rng(11)
    num_steps = num_preempted = num_resumed = 0
    for _ in range(NUM_TRIALS):
        max_loras, seats = int(rng.integers(1, 5)), int(rng.integers(2, 9))
        budget = int(rng.choice([8, 24, 64, 256]))
        num_blocks = int(rng.integers(6, 16))
        theirs = BareScheduler(
            tenants.folder_of("base"), max_loras, seats, budget,
            num_blocks + 1,  # vLLM keeps one block for itself
        )  # fmt: skip
        ours = KvScheduler(max_loras, seats, budget, num_blocks)
        for _ in steps(rng, ours, theirs, most_prompt=49, most_tokens=44):
            again = {r for r in ours.waiting if ours.made[r]}
            scheduled = theirs.step()
            assert list(ours.step().items()) == list(scheduled.items())
            assert ours.waiting == theirs.waiting
            assert ours.running == theirs.running
            num_preempted += len(ours.preempted)
            num_resumed += len(again & scheduled.keys())
            num_steps += 1
    assert num_preempted > 400 and num_resumed > 400
    findings.add(
        key="preemption",
        claim="few KV blocks: who is let in, who loses blocks and computes "
        "again, in which order; by a loop that serve() equals",
        ours="serving.run.serve",
        vllm="schedule",
        cases=num_steps,
        unit="steps that differ",
    )


def test_a_running_engine_does_both_step_by_step(findings):
    """Scheduler and caches together, on the real engine with real tenants."""
    from vllm import SamplingParams

    names = tenants.tenant_names()
    with engine.start(
        folder_of("base"), max_loras=2, max_cpu_loras=3, max_num_seqs=4
    ) as real:
        for name in names:
            real.load(name, folder_of(name))
        number_of = {
            None: -1,
            **{name: real.request(name).lora_int_id for name in names},
        }
        tiers = AdapterTiers(2, 3)
        for name in names:  # as load() did
            tiers.activate(number_of[name])
        model = Model(2, 4, real.scheduler.max_num_scheduled_tokens)
        walks = _listen_to_walks(real)
        rng = np.random.default_rng(9)
        core, num_steps, arrivals = real.llm.llm_engine, 0, [3] * 40
        real.loads.clear()
        warm = tiers.slot_loads, tiers.disk_loads
        while arrivals or core.has_unfinished_requests():
            for _ in range(arrivals.pop() if arrivals else 0):
                tag = rng.choice([None, *names])
                number = len(model._left)
                max_tokens = int(rng.integers(1, 6))
                prompt = "List 3 fruits:"
                request_id = core.add_request(
                    str(number),
                    prompt,
                    SamplingParams(
                        temperature=0, max_tokens=max_tokens, ignore_eos=True
                    ),
                    lora_request=real.request(tag),
                )
                length = len(real.llm.get_tokenizer().encode(prompt))
                model.add(request_id, number_of[tag], length, max_tokens)
            core.step()
            tokens = model.step()
            assert _plain(real.recorder.scheduled) == _plain(tokens)
            waiting = [item.request_id for item in real.scheduler.waiting]
            assert _plain(waiting) == _plain(ids(model.waiting))
            (walk,) = walks
            walks.clear()
            tiers.activate_step(walk)
            assert list(real.manager.lora_index_to_id)[:2] == tiers.slots
            assert list(real.manager._registered_adapters.order) == (
                tiers.cpu_tier
            )
            num_steps += 1
        kinds = [load.kind for load in real.loads]
    # How many depends on the salt of this process; that there are some, not.
    assert kinds.count("slot") == tiers.slot_loads - warm[0] > 4
    assert kinds.count("disk") == tiers.disk_loads - warm[1] > 0
    findings.add(
        key="engine",
        claim="a running engine, 120 requests for four tenants and the base, "
        "two slots, three CPU copies: admissions, slots, loads",
        ours="cache.tiers.AdapterTiers",
        vllm="set_active_loras",
        cases=num_steps,
        unit="steps that differ",
    )


def test_a_running_engine_with_few_blocks_step_by_step(findings):
    """Real tokens and adapters; only the KV cache is small."""
    from vllm import SamplingParams

    names, num_blocks, size = tenants.tenant_names(), 9, 32
    with engine.start(
        folder_of("base"),
        max_loras=2,
        max_cpu_loras=4,
        max_num_seqs=5,
        max_model_len=192,
        block_size=size,
        num_gpu_blocks_override=num_blocks + 1,  # one is vLLM's own
    ) as real:
        for name in names:
            real.load(name, folder_of(name))
        budget = real.scheduler.max_num_scheduled_tokens
        ours = KvScheduler(2, 5, budget, num_blocks, size)
        rng = np.random.default_rng(9)
        core, num_steps, num_preempted = real.llm.llm_engine, 0, 0
        arrivals = [3] * 12
        while arrivals or core.has_unfinished_requests():
            for _ in range(arrivals.pop() if arrivals else 0):
                tag = rng.choice([None, *names])
                number = str(len(ours.output))
                max_tokens = int(rng.integers(10, 90))
                prompt = "List 3 fruits:"
                core.add_request(
                    number,
                    prompt,
                    SamplingParams(
                        temperature=0, max_tokens=max_tokens, ignore_eos=True
                    ),
                    lora_request=real.request(tag),
                )
                length = len(real.llm.get_tokenizer().encode(prompt))
                lora = real.request(tag)
                adapter_id = lora.lora_int_id if lora else -1
                ours.add(number, adapter_id, length, max_tokens)
            core.step()
            tokens = ours.step()
            assert _plain(real.recorder.scheduled) == _plain(tokens)
            waiting = [item.request_id for item in real.scheduler.waiting]
            assert _plain(waiting) == _plain(ours.waiting)
            num_preempted += len(ours.preempted)
            num_steps += 1
    assert num_preempted > 10
    findings.add(
        key="preempting engine",
        claim="a running engine with 9 KV blocks, 36 requests for four "
        "tenants and the base: admissions, preemptions; by the same loop",
        ours="serving.run.serve",
        vllm="schedule",
        cases=num_steps,
        unit="steps that differ",
    )


def _plain(request_ids):
    """Request ids without the suffix that vLLM appends."""
    return [str(item).split("-")[0] for item in request_ids]


def _listen_to_walks(real):
    """Return a list that gets each step's adapter ids in vLLM's order."""
    worker, walks = real.runner.lora_manager, []
    as_shipped = worker._apply_adapters

    def heard(requests):
        walks.append([item.lora_int_id for item in requests])
        return as_shipped(requests)

    worker._apply_adapters = heard
    return walks
