"""What came back of each request that vLLM's load generator sent."""

from typing import Any, NamedTuple

import numpy as np

from multilora.arguments import finite_number, integer, shown
from multilora.serving.replies import CalibrationError


class Sent(NamedTuple):
    """What came back, a value a request in the order of the workload.

    ttft_ms and gap_ms are NaN for a request that failed; gap_ms, its mean
    gap between tokens, also for a reply of one token. errors are sentences,
    "" for a request that was answered. seconds is how long it took.
    """

    ttft_ms: np.ndarray
    gap_ms: np.ndarray
    errors: tuple[str, ...]
    seconds: float

    @property
    def num_failed(self) -> int:
        return int(np.isnan(self.ttft_ms).sum())


def sent_of(result: dict[str, Any], num_requests: int) -> Sent:
    """Return what a result of vLLM's load generator says of its requests.

    result is the JSON of --save-result --save-detailed. Raises ValueError
    for one of another form or another number of requests, CalibrationError
    where no request was answered.
    """
    num = integer("num_requests", num_requests, 1)
    if not isinstance(result, dict):
        raise TypeError(f"result is {shown(result)}, but must be a dict")
    try:
        ttft = np.array(result["ttfts"], dtype=np.float64)
        total = np.array(result["latencies"], dtype=np.float64)
        tokens = np.array(result["output_lens"], dtype=np.float64)
        errors = [str(error) for error in result["errors"]]
        seconds = finite_number("duration", result["duration"], 0)
        if not len(ttft) == len(total) == len(tokens) == len(errors) == num:
            raise ValueError(
                f"num_requests is {num}, and it holds {len(ttft)}"
            )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"the result of vLLM's load generator is of another form "
            f"({error!r}): it must be that of 0.32.0"
        ) from None
    # Its ttft of a request that failed is 0.
    is_good = (
        np.isfinite(ttft) & (ttft > 0) & np.array([not e for e in errors])
    )
    if not is_good.any():
        first = next((e for e in errors if e), "no first token came")
        raise CalibrationError(
            f"none of {num} requests was answered ({_last_line(first)}): "
            "does the server run, and serve these adapters?"
        )
    with np.errstate(divide="ignore", invalid="ignore"):
        gap = np.where(tokens > 1, (total - ttft) / (tokens - 1), np.nan)
    return Sent(
        np.where(is_good, 1000 * ttft, np.nan),
        np.where(is_good, 1000 * gap, np.nan),
        tuple(
            _last_line(e) or ("" if good else "no first token came")
            for e, good in zip(errors, is_good, strict=True)
        ),
        seconds,
    )


def _last_line(error: str) -> str:
    lines = [line.strip() for line in error.splitlines() if line.strip()]
    return lines[-1][:200] if lines else ""
