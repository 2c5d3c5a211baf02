"""What one move of a slider costs: counting, and the picture with it.

    python benchmarks/slider_move.py

CPU time of one process and one BLAS thread, garbage collection left on. Each
picture is also drawn by matplotlib alone, on kept axes too, and has to be the
same; "ratio" is the median of its time over ours, each move by each.
"""

import io
import re
import time
from functools import partial

import matplotlib as mpl
import numpy as np
from threadpoolctl import threadpool_limits

from multilora import traffic
from multilora.cache.hitrate import hit_rate_curve
from multilora.figures import lab04, style

NUM_REQUESTS, NUM_ADAPTERS = 30_000, 60
WARM_UP = 2  # moves not counted: a player's figure has been drawn before


def plain_svg(draw, values, figure):
    """Return (svg text, sentence) by figure.savefig alone."""
    with mpl.rc_context(style.RC):
        sentence = draw(figure, **values)
        out = io.StringIO()
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(out, format="svg", metadata=nothing)
    svg = re.sub(r"^.*?(?=<svg)", "", out.getvalue(), flags=re.DOTALL)
    return svg.replace("'DejaVu Sans'", style.FONTS), sentence


def curve_move(at):
    """A new trace, drawn here; its curve is counted while it is drawn."""
    trace = traffic.zipf(NUM_REQUESTS, NUM_ADAPTERS, seed=at)
    values = {"traffic": "zipf", "num_adapters": NUM_ADAPTERS}
    return lab04.draw_hit_curve, values | {"trace": trace}


def thrash_move(at, axis):
    """The explorer of lab 04, each stop of the axis a new one."""
    values = {"tenants": 40, "max_loras": 8, "skew": 1.0}
    if axis != "max_loras":
        lab04.thrash_table.cache_clear()
    stops = {"tenants": 10 + at % 51, "max_loras": 1 + at % 60,
             "skew": at % 100 / 50}  # fmt: skip
    return lab04.draw_thrash, values | {axis: stops[axis]}


def curve_only(draw, values):
    """Do the counting of a move, without its picture."""
    if draw is lab04.draw_hit_curve:
        hit_rate_curve(values["trace"], values["num_adapters"])
    else:
        lab04.thrash_table(values["tenants"], values["skew"])


MOVES = {
    "curve of a new trace": (curve_move, NUM_REQUESTS),
    "thrash, tenants": (
        partial(thrash_move, axis="tenants"), lab04.NUM_REQUESTS,
    ),
    "thrash, skew": (partial(thrash_move, axis="skew"), lab04.NUM_REQUESTS),
    "thrash, max_loras": (partial(thrash_move, axis="max_loras"), 0),
}  # fmt: skip


def move_seconds(move, num_moves):
    """Return {way: CPU seconds of each move}: ours, matplotlib, curve.

    Raises AssertionError where matplotlib draws another picture.
    """
    figures = style.new_figure(), style.new_figure()
    ways = {
        "ours": lambda *asked: style.render_svg(*asked, figures[0]),
        "matplotlib": lambda *asked: plain_svg(*asked, figures[1]),
        "curve": curve_only,
    }
    rng = np.random.default_rng(0)
    seconds = {way: [] for way in ways}
    for at in range(WARM_UP + num_moves):
        drawn = {}
        for way in rng.permutation(list(ways)).tolist():
            asked = move(at)
            start = time.process_time()
            drawn[way] = ways[way](*asked)
            seconds[way].append(time.process_time() - start)
        assert drawn["ours"] == drawn["matplotlib"], asked
    return {way: np.array(s[WARM_UP:]) for way, s in seconds.items()}


def slider_rows(num_moves=101):
    """Return one dict for each kind of move, its times in ms.

    num_requests are the requests counted anew in each move; curve_ms is the
    median of their counting, with the drawing of their trace where the move
    does that too.
    """
    rows = []
    with threadpool_limits(limits=1):
        for name, (move, num_requests) in MOVES.items():
            found = move_seconds(move, num_moves)
            p50, p95 = np.percentile(found["ours"] * 1e3, [50, 95])
            ratios = found["matplotlib"] / found["ours"]
            rows.append({
                "move": name,
                "num_requests": num_requests,
                "p50_ms": round(float(p50), 1),
                "p95_ms": round(float(p95), 1),
                "curve_ms": round(float(np.median(found["curve"])) * 1e3, 1),
                "ratio": round(float(np.median(ratios)), 2),
            })  # fmt: skip
    return rows


if __name__ == "__main__":
    for row in slider_rows():
        print(row)
