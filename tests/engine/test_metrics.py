"""vLLM's metrics are those that the pages name."""

import ast
import re
from pathlib import Path

import pytest

from multilora.watch.symptoms import symptoms
from repository import NOTEBOOKS, ROOT

pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings("ignore")]


HISTOGRAMS = {"vllm:iteration_tokens_total"}


def code(*modules):
    """Return the source of modules that read /metrics."""
    folder = ROOT / "src/multilora/watch"
    return " ".join((folder / f"{m}.py").read_text("utf-8") for m in modules)


def test_vllm_exports_every_metric_that_a_page_tells_to_watch():
    """A renamed metric would send an operator to an empty dashboard."""
    import vllm

    pages = [*NOTEBOOKS, *ROOT.glob("book/*.md")]
    text = " ".join(page.read_text("utf-8") for page in pages)
    named = set(re.findall(r"`(vllm:\w+)`", text))
    named |= {name for row in symptoms() for name in row.metrics}
    # vllm:iteration_tokens_total is a histogram, and called so.
    named |= {
        name if name in HISTOGRAMS else name.removesuffix("_total")
        for name in re.findall(r'"(vllm:\w+)"', code("scrapes", "seen"))
        if not name.endswith("_count")
    }
    metrics = Path(vllm.__file__).parent / "v1/metrics"
    source = " ".join(file.read_text("utf-8") for file in metrics.glob("*.py"))
    assert len(named) >= 13
    assert not {name for name in named if f'"{name}"' not in source}


def test_both_labels_of_lora_requests_info_hold_the_same_names():
    """Lab 04 says so: of what has begun, running or not."""
    from vllm.v1.metrics.stats import LoRARequestStates, SchedulerStats

    states, stats = LoRARequestStates(log_stats=True), SchedulerStats()
    states.request_running("1", "a")
    for request_id, name in (("2", "b"), ("3", "c")):
        states.request_waiting(request_id, name)
    states.update_scheduler_stats(stats)
    assert set(stats.running_lora_adapters) == {"a", "b", "c"}
    assert set(stats.waiting_lora_adapters) == {"a", "b", "c"}


def test_a_request_s_events_leave_the_scheduler_with_its_output_only():
    """So lora_requests_info names no adapter that only waits for a slot.

    The pages say so, and where a release changes it, their rule is wrong.
    """
    import vllm

    core = Path(vllm.__file__).parent / "v1/core/sched/scheduler.py"
    tree = ast.parse(core.read_text("utf-8"))
    with_output = [
        ast.unparse(keyword.value)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and ast.unparse(call.func) == "EngineCoreOutput"
        for keyword in call.keywords
        if keyword.arg == "events"
    ]
    assert with_output == ["request.take_events()"] * len(with_output)
    taken = core.read_text("utf-8").count("request.take_events()")
    assert taken == len(with_output) > 0
