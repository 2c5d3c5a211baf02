"""When numba counts."""

import pytest

from multilora.cache.fast import WORTH_REQUESTS, use_numba


def test_numba_is_asked_for_by_name_where_it_is_missing(monkeypatch):
    monkeypatch.setattr("multilora.cache.fast.has_numba", lambda: False)
    assert not use_numba("auto", 10**9)
    with pytest.raises(ModuleNotFoundError, match="engine is 'numba'"):
        use_numba("numba", 1)


def test_numba_starts_only_where_it_is_worth_it(monkeypatch):
    monkeypatch.setattr("multilora.cache.fast.has_numba", lambda: True)
    assert not use_numba("auto", WORTH_REQUESTS - 1)
    assert use_numba("auto", WORTH_REQUESTS)
    assert not use_numba("plain", 10**9)
