"""Pages of metrics of a simulated run say what the run did."""

import numpy as np
import pytest

from multilora.figures.night import metric_pages
from multilora.figures.plan import night_run
from multilora.watch.scrapes import RUNNING, WAITING, parse_scrape
from multilora.watch.seen import look


@pytest.fixture(scope="module")
def run():
    return night_run()[0]


def test_a_page_counts_who_runs_waits_and_is_named(run):
    trace, ids = run.trace, run.workload.adapter_ids
    for at_s in (60, 140, 175):
        at = at_s * 1e9
        (body,) = metric_pages(run, [at_s])
        page = parse_scrape(body)
        is_in = (trace.admitted <= at) & (at < trace.finished)
        is_out = (trace.joined <= at) & (at < trace.admitted)
        assert page.total(RUNNING) == is_in.sum()
        assert page.total(WAITING) == is_out.sum()
        names = {
            f"tenant-{one:02}"
            for one in ids[is_in & (trace.first_token <= at)]
        }
        assert page.active().names == names
        assert len(names) <= page.active().max_loras == 8


def test_the_last_page_has_all_steps_tokens_and_gaps(run):
    """Steps are found again from events: all but a few of a hundred."""
    ends_s = run.trace.finished.max() / 1e9
    page = parse_scrape(metric_pages(run, [ends_s])[0])
    ttft = page.histogram("vllm:time_to_first_token_seconds")
    gaps = page.histogram("vllm:inter_token_latency_seconds")
    steps = page.histogram("vllm:iteration_tokens_total")
    assert ttft.num == run.workload.num_requests
    assert np.isclose(ttft.sum, run.ttft_ns.sum() / 1e9)
    num_gaps = (run.workload.output_tokens - 1).sum()
    assert gaps.num == pytest.approx(num_gaps, rel=0.01)
    assert steps.num == pytest.approx(run.trace.totals.num_steps, rel=0.01)
    tokens = run.workload.prompt_tokens.sum() + num_gaps
    assert steps.sum == pytest.approx(tokens, rel=0.01)


def test_two_pages_say_what_came_between(run):
    scrapes = [parse_scrape(page) for page in metric_pages(run, (140, 150))]
    seen = look(scrapes, now_s=150)
    first = run.trace.first_token
    came = (first > 140e9) & (first <= 150e9)
    assert seen.ttft.num == came.sum()
    assert seen.num_prompt_tokens == run.workload.prompt_tokens[came].sum()
