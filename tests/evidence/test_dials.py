"""The order of dials in the operator's table is the one that is played."""

import pytest

from multilora.evidence.dials import AS_IT_IS, CASES, dial_lines, dial_table

DRAWS = (0, 1, 2)  # of arrivals and lengths; what holds in one may be luck
RARE = "rare late, {} requests/s, {} copies"
HALF = "half of the tenants, as many requests"


def rows(case, draw):
    return {row.dial: row for row in dial_table(case, draw)}


@pytest.mark.parametrize("draw", DRAWS)
@pytest.mark.parametrize("rate", [3, 5, 8])
def test_where_copies_are_few_they_come_first(rate, draw):
    """Lab 04 said: first route by tenant. A read stops the engine."""
    of = rows(RARE.format(rate, 8), draw)
    copies, slots = of["max_cpu_loras 40"], of["max_loras 16"]
    assert copies.rare_p99_ms < of[HALF].rare_p99_ms
    assert copies.p99_ms < of[HALF].p99_ms < of[AS_IT_IS].p99_ms
    for other in (slots, of[HALF], of[AS_IT_IS]):
        assert copies.p50_ms < other.p50_ms
        assert copies.gap_ms < other.gap_ms


def test_which_of_copies_and_slots_gives_the_better_p99_is_the_load_s():
    """Hence the table says that the first costs host memory only."""
    every = [
        rows(RARE.format(rate, 8), draw)["max_cpu_loras 40"].p99_ms
        < rows(RARE.format(rate, 8), draw)["max_loras 16"].p99_ms
        for rate in (3, 5, 8)
        for draw in DRAWS
    ]
    assert any(every) and not all(every)


@pytest.mark.parametrize("draw", DRAWS)
def test_with_all_copies_slots_come_before_routing(draw):
    """Where KV has room: at 5 requests/s both do, at 8 only slots do."""
    calm = rows(RARE.format(5, 40), draw)
    for dial in ("max_loras 16", HALF):
        assert calm[dial].p99_ms < 0.6 * calm[AS_IT_IS].p99_ms
    busy = rows(RARE.format(8, 40), draw)
    assert busy["max_loras 16"].p99_ms < 0.25 * busy[HALF].p99_ms
    assert busy[HALF].p99_ms < busy[AS_IT_IS].p99_ms


@pytest.mark.parametrize("draw", DRAWS)
def test_a_late_first_request_asks_for_copies(draw):
    of = rows("first after a gap late", draw)
    copies = of["max_cpu_loras 40"]
    assert copies.p50_ms < of["max_loras 16"].p50_ms < of[AS_IT_IS].p50_ms
    assert copies.p99_ms < of[AS_IT_IS].p99_ms


@pytest.mark.parametrize("draw", DRAWS)
def test_slow_tokens_ask_for_the_long_prompts_to_move(draw):
    """A smaller budget cures tokens, and makes first tokens later."""
    of = rows("tokens slower", draw)
    now, moved = of[AS_IT_IS], of["long prompts elsewhere"]
    assert moved.p50_ms < 0.5 * now.p50_ms
    assert moved.gap_ms < 0.2 * now.gap_ms
    budgets = [now] + [
        of[f"max_num_batched_tokens {n}"] for n in (2048, 1024, 512)
    ]
    gaps = [row.gap_ms for row in budgets]
    assert gaps == sorted(gaps, reverse=True)
    halves = [row.p50_ms for row in budgets]
    assert halves == sorted(halves) and halves[-1] > 5 * halves[0]
    assert budgets[-1].p99_ms > 1.15 * now.p99_ms
    slots = of["max_loras 40"]
    assert slots.p99_ms < now.p99_ms and slots.gap_ms > 0.95 * now.gap_ms


@pytest.mark.parametrize("draw", DRAWS)
def test_full_seats_ask_for_seats_and_slots_change_little(draw):
    of = rows("seats full", draw)
    assert of["max_num_seqs 64"].p99_ms < 0.02 * of[AS_IT_IS].p99_ms
    assert of["max_loras 40"].p99_ms > 0.9 * of[AS_IT_IS].p99_ms


@pytest.mark.parametrize("draw", DRAWS)
def test_full_kv_asks_for_engines_or_fewer_slots_never_for_more(draw):
    of = rows("KV full", draw)
    assert of["half of the requests"].p99_ms < 0.1 * of[AS_IT_IS].p99_ms
    assert of["max_loras 4"].p99_ms < 0.7 * of[AS_IT_IS].p99_ms
    assert of["max_loras 16"].p99_ms > 2 * of[AS_IT_IS].p99_ms
    assert of["max_num_seqs 512"] == of[AS_IT_IS]._replace(
        dial="max_num_seqs 512"
    )


def test_lines_hold_a_line_for_each_dial():
    case = next(iter(CASES))
    assert len(dial_lines(case)) == 1 + len(CASES[case])
