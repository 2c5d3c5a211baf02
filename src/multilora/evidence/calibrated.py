"""A server that was calibrated, and loads that it had not seen."""

from typing import Any

from multilora.published import shared


def calibrated_loads() -> list[dict[str, Any]]:
    """Return a dict a load of data/calibration_run.json, in order.

    max_loras, max_cpu_loras, load, busy (predicted), drift of the server's
    own probes and of those around the load, and measured and predicted
    p50_ms, p99_ms, num_slot_loads and num_disk_loads; a predicted time is
    (low, middle, high), None where the server was saturated.
    """
    return [
        {
            "max_loras": server["max_loras"],
            "max_cpu_loras": server["max_cpu_loras"],
            "load": load["load"],
            "num_requests": load["num_requests"],
            "busy": load["predicted"]["busy"],
            "drifts": (server["drift"], load["drift"]),
            "measured": load["measured"],
            "predicted": load["predicted"],
        }
        for server in shared("calibration_run")["servers"]
        for load in server["loads"]
    ]


def calibrated_lines() -> list[str]:
    """Return the loads as lines of text: times in ms, loads as counts."""
    lines = [
        "slots tier load         busy   p50 ms: measured, predicted    p99 ms",
    ]
    for row in calibrated_loads():
        ours, theirs = row["predicted"], row["measured"]
        times = "   ".join(
            f"{theirs[name]:5,.0f} {_interval(ours[name])}"
            for name in ("p50_ms", "p99_ms")
        )
        lines.append(
            f"{row['max_loras']:5} {row['max_cpu_loras']:4} {row['load']:12} "
            f"{row['busy']:4.0%}   {times}"
        )
    return lines


def calibrated_load_lines() -> list[str]:
    """Return how many loads there were, and the drifts, as lines of text."""
    lines = ["load           slot loads  predicted   disk loads  predicted"]
    for row in calibrated_loads():
        ours, theirs = row["predicted"], row["measured"]
        lines.append(
            f"{row['load']:14} {theirs['num_slot_loads']:10} "
            f"{ours['num_slot_loads']:10} {theirs['num_disk_loads']:12} "
            f"{ours['num_disk_loads']:10}   drift "
            f"{row['drifts'][0]:.2f}, {row['drifts'][1]:.2f}"
        )
    return lines


def _interval(times: list[float] | None) -> str:
    if times is None:
        return "saturated       "
    low, middle, high = times
    return f"{middle:5,.0f} ({low:,.0f}-{high:,.0f})"
