"""Wrong arguments of traces and arrivals work or are named."""

from bad_input import each_wrong_value
from multilora import traffic
from multilora.traffic import arrivals

GOOD = {
    traffic.uniform: (5, 5, 0),
    traffic.zipf: (5, 5, 1.0, 0),
    traffic.eighty_twenty: (5, 5, 2, 0),
    traffic.cyclic: (5, 5),
    traffic.sticky: (5, 5, 0.5, 0),
    traffic.bursts: (5, 1.0, 2.0, 0),
    traffic.poisson: (5, 1.0, 2.0, 0),
    arrivals.poisson_arrivals: ([1.0], 2.0, 0),
    arrivals.bursty_arrivals: ([1.0], 2.0, 2.0, 0),
    arrivals.diurnal_arrivals: ([1.0], 2.0, 9.0, 0.5, 1.0, 5.0, 0),
}

test_each_wrong_value_works_or_is_named = each_wrong_value(GOOD)
