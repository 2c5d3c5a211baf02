"""Windows keep each tenant's rate and burstiness; clients are ServeGen's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from multilora.published import published
from multilora.traffic import windows as module
from multilora.traffic.clients import SERVEGEN, client_windows
from multilora.traffic.locality import top_shares
from multilora.traffic.windows import Windows, check_windows, window_arrivals

PUBLIC = published("public_traffic")["servegen"]
NO_ROWS = Windows([], [], [], [])


def cvs_of(times, ids, window_s=600):
    """The CV of the gaps of each (tenant, window), by a plain loop."""
    rows = {}
    for time, tenant in zip(times.tolist(), ids.tolist(), strict=True):
        rows.setdefault((tenant, int(time // window_s)), []).append(time)
    found = {}
    for key, row in rows.items():
        gaps = np.diff(row)
        if len(gaps) > 2 and gaps.mean() > 0:
            found[key] = gaps.std() / gaps.mean()
    return found


@given(
    st.lists(
        st.tuples(st.integers(0, 12), st.floats(0.1, 5)),
        min_size=1, max_size=8,
    ),
    st.integers(0, 99),
)  # fmt: skip
def test_requests_lie_where_a_loop_puts_them(rows, seed):
    """Gap by gap, window by window, from the same random numbers."""
    rng = np.random.default_rng(seed)
    rows = [(num, cv) for num, cv in rows if num] or [(1, 1.0)]
    all_gaps = []
    for num, cv in rows:
        shape = 1.0
        if num >= 3:
            shape = ((num - 2) / cv**2 - 1) / (num - 1)
            shape = max(shape, module.LEAST_SHAPE)
        all_gaps.append([rng.gamma(shape) for _ in range(num)])
    expected = []
    for gaps in all_gaps:
        cut = rng.random()
        expected += [
            sum(gaps[: n + 1]) / sum(gaps) + cut for n in range(len(gaps))
        ]
    num, cvs = (np.array(column) for column in zip(*rows, strict=True))
    found = module._within(num, cvs, np.random.default_rng(seed))
    apart = abs(found - np.array(expected)) % 1  # on a circle
    assert np.minimum(apart, 1 - apart).max() < 1e-9


@pytest.mark.parametrize("cv", [0.3, 1.0, 1.45, 4.0])
def test_a_window_has_its_rate_and_its_cv(cv):
    """A rate that makes 500.5 requests is rounded up or down."""
    num = 200
    rate = 500.5 / 600
    windows = Windows([3] * num, range(num), [rate] * num, [cv] * num)
    times, ids = window_arrivals(windows)
    assert set(ids.tolist()) == {3} and (np.diff(times) >= 0).all()
    counts = np.bincount((times // 600).astype(int), minlength=num)
    assert set(counts.tolist()) == {500, 501}
    assert counts.mean() == pytest.approx(500.5, abs=0.2)
    found = list(cvs_of(times, ids).values())
    assert np.sqrt(np.mean(np.square(found))) == pytest.approx(cv, rel=0.05)


def test_windows_do_not_begin_or_end_with_a_clump():
    """No minute of a window is fuller than another."""
    num = 4_000
    windows = Windows([0] * num, range(num), [0.05] * num, [2.0] * num)
    times, _ = window_arrivals(windows)
    where = np.histogram(times % 600, 10, (0, 600))[0] / len(times)
    assert where == pytest.approx(np.full(10, 0.1), abs=0.015)


def test_few_requests_lie_anywhere():
    """One or two have no CV, however large the row's is."""
    num = 3_000
    windows = Windows([0] * num, range(num), [1 / 600] * num, [9.0] * num)
    times, _ = window_arrivals(windows)
    where = np.histogram(times % 600, 4, (0, 600))[0] / len(times)
    assert where == pytest.approx(np.full(4, 0.25), abs=0.03)


def test_a_row_of_rate_zero_is_silent():
    times, ids = window_arrivals(Windows([0, 1], [0, 0], [0, 1.0], [1, 1]))
    assert len(times) == 600 and set(ids.tolist()) == {1}


def day(seed):
    return client_windows(PUBLIC["num_clients"], 144, 242.0, seed=seed)


def test_clients_are_as_steep_as_servegens():
    """Shares of the busiest, and who is silent; twenty days, for one varies.

    The busiest client's share alone scatters between a tenth and a half.
    """
    shares, silent, active = [], [], []
    for seed in range(20):
        rows = day(seed)
        num = np.round(rows.rates * 60).astype(int)  # a tenth of the requests
        shares.append(
            top_shares(np.repeat(rows.tenant_ids, num), PUBLIC["tops"])
        )
        num_rows = np.bincount(rows.tenant_ids, minlength=162)
        silent.append((num_rows == 0).sum())
        active.append(np.median(num_rows) / 144)
    found = np.median(shares, axis=0)
    assert found == pytest.approx(np.array(PUBLIC["top"]), abs=0.05)
    assert np.mean(silent) == pytest.approx(PUBLIC["num_silent"], abs=8)
    assert np.mean(active) == pytest.approx(PUBLIC["active_median"], abs=0.03)


def test_clients_are_as_bursty_as_servegens():
    rows = day(0)._replace(rates=day(0).rates / 50)
    assert np.median(rows.cvs) == pytest.approx(PUBLIC["cv_median"], rel=0.15)
    found = cvs_of(*window_arrivals(rows))
    many = {
        (tenant, window): cv
        for tenant, window, rate, cv in zip(
            *(c.tolist() for c in rows), strict=True
        )
        if rate * 600 > 50 and cv < 5
    }
    ratio = [found[key] / cv for key, cv in many.items()]
    assert len(ratio) > 300
    assert np.median(ratio) == pytest.approx(1, abs=0.05)


def test_the_defaults_are_the_measured_moments():
    for name, value in SERVEGEN._asdict().items():
        assert value == PUBLIC[name], name


def test_clients_send_the_rate_that_was_asked():
    rows = client_windows(40, 12, 3.0, seed=2)
    assert rows.rates.sum() / 12 == pytest.approx(3.0)
    times, _ = window_arrivals(rows)
    assert len(times) == pytest.approx(3 * 7_200, rel=0.01)
    again = client_windows(40, 12, 3.0, seed=2)
    assert all((a == b).all() for a, b in zip(rows, again, strict=True))


def test_activity_comes_in_runs():
    """A client's windows are beside each other, more than if drawn alone."""

    def num_runs(stay):
        rows = client_windows(60, 144, 1.0, SERVEGEN._replace(stay=stay))
        is_active = np.zeros((60, 145), dtype=int)
        is_active[rows.tenant_ids, rows.window_ids] = 1
        return (np.diff(is_active, axis=1) == -1).sum()

    assert num_runs(0.9) < num_runs(0) / 2


def test_somebody_sends_even_where_all_would_be_silent():
    rare = SERVEGEN._replace(active_mean=0.001, active_sd=0.001)
    assert len(client_windows(1, 1, 2.0, rare).rates) == 1


@pytest.mark.parametrize(
    ("windows", "named"),
    [
        (NO_ROWS, "windows has shape"),
        (Windows([0], [0], [1.0], [1.0, 2.0]), "cvs of windows has shape"),
        (Windows([0], [0], [-1.0], [1.0]), "rates of windows holds -1.0"),
        (Windows([0], [0], [1.0], [np.nan]), "cvs of windows holds 1 NaN"),
        (Windows([-1], [0], [1.0], [1.0]), "tenant_ids of windows holds -1"),
        (Windows([0, 0], [5, 5], [1, 1], [1, 1]), "tenant 0 twice in"),
        (Windows([0], [0], [1e9], [1.0]), "windows make"),
        ([1], "windows is"),
    ],
)
def test_wrong_windows_are_named(windows, named):
    with pytest.raises((ValueError, TypeError), match=named):
        window_arrivals(windows)


def test_clients_that_cannot_be_are_named():
    with pytest.raises(ValueError, match=r"active_sd of clients is 0\.49"):
        client_windows(5, 5, 1, SERVEGEN._replace(active_sd=0.49))
    with pytest.raises(TypeError, match="clients is"):
        client_windows(5, 5, 1, None)


def test_checked_windows_are_arrays():
    checked = check_windows(Windows([2], [1], [0.5], [1]))
    assert checked.rates.dtype == np.float64
    assert checked.tenant_ids.tolist() == [2]
