"""Wrong arguments of traces and arrivals work or are named."""

from pathlib import Path
from tempfile import mkdtemp

from bad_input import each_wrong_value
from multilora import traffic
from multilora.traffic import (
    arrivals,
    clients,
    lengths,
    locality,
    public,
    sessions,
    windows,
)

FOLDER = Path(mkdtemp())
FORMS = {
    public.read_sequence: "request,base,adapter\n1,0,0\n",
    public.read_uses: "seconds,user,base,adapter\n1,0,0,0\n",
    public.read_windows: "client,window_10min,req_per_s,cv\n0,0,1,1\n",
}


def written(read):
    path = FOLDER / f"{read.__name__}.csv"
    path.write_text(FORMS[read])
    return path


ROW = windows.Windows([0], [0], [1.0], [1.0])
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
    sessions.session_arrivals: (500, 5, sessions.GENTD26, 0),
    lengths.lognormal_tokens: (5, 9.0, 1.0, 20, 0),
    windows.window_arrivals: (ROW, 600, 0),
    windows.check_windows: (ROW,),
    clients.client_windows: (5, 5, 1.0, clients.SERVEGEN, 0),
    locality.own_share: ([1.0, 2.0], [0, 0], [0, 0], 5.0),
    locality.zipf_slope: ([0, 1], 2),
    locality.favourites_kept: ([0, 1], 2),
    locality.top_shares: ([0, 1], [1]),
    **{read: (written(read),) for read in FORMS},
}

test_each_wrong_value_works_or_is_named = each_wrong_value(GOOD)
