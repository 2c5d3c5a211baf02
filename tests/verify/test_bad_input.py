"""Wrong arguments of what meets a live engine work or are named."""

import tempfile
from pathlib import Path

import numpy as np

from bad_input import each_wrong_value
from live_plans import one_engine, setting
from multilora.plan import stored
from multilora.plan.answer import Outcome, Slo, Tenant, engine_of
from multilora.verify import generator, measured, planned, sent

OUTCOME = Outcome(
    p50_ms=40, p99_ms=90, gap_ms=None, share=1, hit_rate=0.9, busy=0.5,
    num_slot_loads=1, num_disk_loads=0,
)  # fmt: skip
TENANT = Tenant(
    name="a", rank=8, num_requests=6, requests_per_s=2.0,
    mean_prompt_tokens=40, mean_output_tokens=9, p50_ms=40, p99_ms=90,
    gap_ms=None, meets_slo=True,
)  # fmt: skip
PLAN = one_engine("base", (TENANT,), setting(), OUTCOME, 500, 300, 6)
FOLDER = tempfile.TemporaryDirectory()  # until the tests are over
FILE = Path(FOLDER.name) / "plan.json"
stored.write_plan(PLAN, FILE)
TRAFFIC = planned.planned_traffic(PLAN, 1, 5)
NUM = TRAFFIC.workload.num_requests
RESULT = {
    "ttfts": [0.1] * NUM, "latencies": [0.2] * NUM, "output_lens": [3] * NUM,
    "errors": [""] * NUM, "duration": 5.0,
}  # fmt: skip
SENT = sent.Sent(np.ones(NUM), np.ones(NUM), ("",) * NUM, 5.0)
GOOD = {
    stored.read_plan: (FILE,),
    engine_of: (PLAN, 1),
    planned.planned_traffic: (PLAN, 1, 5.0, 100, 0),
    planned.planned_limits: (PLAN, 1),
    sent.sent_of: (RESULT, NUM),
    measured.verdict: (TRAFFIC, SENT, PLAN.engines[0], Slo()),
}

UNTRIED = {"send", "python_with_vllm", "write_plan"}

test_each_wrong_value_works_or_is_named = each_wrong_value(GOOD)


def test_each_function_of_this_part_is_in_the_table():
    """But for those that start a process, and for the one that writes."""
    modules = generator, measured, planned, sent, stored
    for module in modules:
        for name, found in vars(module).items():
            is_ours = getattr(found, "__module__", "") == module.__name__
            is_public = not name.startswith("_") and not isinstance(
                found, type
            )
            if is_ours and is_public and name not in UNTRIED:
                assert found in GOOD
