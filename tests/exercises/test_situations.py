"""Each situation has one clear cause."""

import numpy as np

from multilora.exercises import situations
from multilora.serving.diagnosis import causes_ns


def test_each_situation_has_a_cause_of_its_own_and_a_clear_one():
    found = []
    for name in situations.NAMES:
        run = situations.situation(name)
        is_slow = run.ttft_ns >= np.percentile(run.ttft_ns, 90)
        waits = {
            cause: causes_ns(run)[cause][is_slow].sum()
            for cause in situations.WAITS
        }
        second, first = sorted(waits.values())[-2:]
        assert first > 5 * second
        found.append(max(waits, key=waits.get))
    assert len(set(found)) == len(found) == len(situations.WAITS)
