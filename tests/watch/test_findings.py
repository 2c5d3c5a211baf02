"""What /metrics says leads to the right rows of the table, and no others."""

import pytest

from metric_pages import page
from multilora.watch.findings import fitting
from multilora.watch.scrapes import parse_scrape
from multilora.watch.seen import look

NAMES = tuple("abcdefgh")
QUIET = (0.02,) * 200
OLD = {"started_s": 1.0}
NOW_S = 10_000.0


def found(*pages, **options):
    scrapes = [parse_scrape(one) for one in pages]
    rows = fitting(scrapes, now_s=NOW_S, **options)
    return {row.key: evidence for row, evidence in rows}


def busy(**changes):
    """An engine that serves four tenants on four slots, nobody late."""
    usual = {"running": 4, "lora_lines": ((4, NAMES[:4], 5.0),), **OLD}
    return page(**usual | changes)


def grown(**added):
    """A first look with the usual gaps, and a second with more beside."""
    more = {"gaps_s": QUIET * 2, "step_tokens": (16,) * 200} | {
        name: (QUIET * 2 if name == "gaps_s" else ()) + values
        for name, values in added.items()
    }
    return busy(gaps_s=QUIET), busy(**more)


def test_an_engine_without_trouble_fits_nothing():
    assert found(*grown(ttft_s=(0.05,) * 20)) == {}
    assert found(busy(capacity=1), busy(), busy()) == {}


def test_all_slots_taken_and_requests_deferred_is_deferral():
    many = busy(deferred=3)
    rows = found(busy(), many, many)
    assert list(rows) == ["deferral"]
    assert rows["deferral"] == (
        "deferred: 0, 3, 3, while 4, 4, 4 adapters run and max_lora is 4"
    )


def test_slots_that_are_all_taken_are_no_trouble():
    assert found(busy(), busy()) == {}


def test_an_old_line_of_many_names_is_not_deferral():
    """It stays for ever, and a newer one names two adapters."""
    lines = ((4, NAMES[:2], 9.0), (4, NAMES[:4], 5.0))
    assert found(busy(deferred=1, lora_lines=lines)) == {}


def test_full_seats_and_full_kv_are_told_apart():
    seats = [busy(capacity=9, running=16, kv=0.4)] * 3
    assert list(found(*seats)) == ["seats"]
    assert "max_num_seqs?" in found(*seats)["seats"]
    assert list(found(*seats, max_num_seqs=16)) == ["seats"]
    assert found(*seats, max_num_seqs=64) == {}
    full = [busy(capacity=9, running=16, kv=0.99)] * 3
    assert list(found(*full)) == ["kv"]
    thrown_out = busy(kv=0.7), busy(kv=0.7, preemptions=12)
    assert "preempted meanwhile: 12" in found(*thrown_out)["kv"]


def test_long_prompts_and_loads_are_told_apart():
    """Gaps jump with both; steps of many tokens come with prompts only."""
    slow = (0.8,) * 10
    rows = found(*grown(gaps_s=slow, step_tokens=(4000,) * 5))
    assert list(rows) == ["prompts"]
    assert "5 of 5 steps had more than 1,024 tokens" in rows["prompts"]
    assert list(found(*grown(gaps_s=slow))) == ["stall"]


def test_late_first_tokens_without_a_queue_are_a_load():
    late = grown(ttft_s=(0.05,) * 20 + (2.0,) * 3)
    assert list(found(*late)) == ["gap"]
    assert "3 of 23 first tokens took over 0.5 s" in found(*late)["gap"]
    assert found(*late, slo_ms=3000) == {}
    young = [
        busy(started_s=NOW_S - 100, ttft_s=values)
        for values in ((), (2.0,) * 3)
    ]
    assert list(found(*young)) == ["start"]


def test_corrupted_requests_are_told():
    assert "nan" in found(busy(corrupted=1), busy(corrupted=4))


def test_what_was_before_a_restart_is_left_out():
    seen = look(
        [
            parse_scrape(busy(prompt_tokens=n, gaps_s=QUIET))
            for n in (900, 5, 50)
        ]
    )
    assert seen.is_restarted and seen.num_prompt_tokens == 45
    assert len(seen.running) == 2


def test_no_page_is_an_error_that_says_so():
    with pytest.raises(ValueError, match="scrapes is empty"):
        fitting([])
