"""Measure what a step costs on a running vLLM server."""

import sys
import time
from collections.abc import Callable, Iterable, Mapping
from statistics import median

from multilora.arguments import finite_number, integer, shown
from multilora.published import machine
from multilora.serving import probes
from multilora.serving.calibration import Calibration
from multilora.serving.client import Client
from multilora.serving.fitting import fit_cost
from multilora.serving.limits import Limits, check_limits
from multilora.serving.probes import Lengths
from multilora.serving.replies import CalibrationError
from multilora.serving.rounds import (
    Session,
    drift_of,
    num_requests,
    play_rounds,
)
from multilora.serving.scenes import Scene
from multilora.serving.served import (
    Loaded,
    Served,
    checked_adapters,
    look_at,
    words,
)

WORST_FIT = 0.3  # a relative error beyond which a cost says nothing


def to_stderr(line: str) -> None:
    """Print a line of progress where it is in nobody's way."""
    print(line, file=sys.stderr, flush=True)


def calibrate(
    url: str,
    adapters: Iterable[str] | Mapping[str, str | None],
    limits: Limits,
    prompt_tokens: tuple[int, int] = (32, 512),
    output_tokens: tuple[int, int] = (16, 128),
    seconds: float = 120,
    max_requests: int = 2000,
    max_at_once: int = 16,
    *,
    timeout_s: float = 60,
    api_key: str | None = None,
    seed: int = 0,
    progress: Callable[[str], object] = to_stderr,
) -> Calibration:
    """Return the Calibration of a vLLM server with LoRA at url.

    adapters are names that it serves, or {name: folder on the server}: what
    it does not serve yet is loaded and taken out again. limits are the
    server's own, by engine_limits: max_loras and max_cpu_loras cannot be
    read from it. Probes have prompts of prompt_tokens, (shortest, longest),
    replies no longer than output_tokens' longest, at most max_at_once
    requests at once; to bring an adapter in, a reply of one token. They stop
    after `seconds` and max_requests, whatever comes. No other traffic may
    reach the server meanwhile. Raises ValueError for arguments that cannot
    be, CalibrationError for a server that cannot be measured, what to do in
    either; then, and on Ctrl-C, no request and no adapter of ours remains.
    """
    folders = checked_adapters(adapters)
    limits = check_limits(limits)
    sizes = probes.lengths(
        prompt_tokens, output_tokens, limits.max_num_batched_tokens
    )
    seed = integer("seed", seed, 0, 2**32)
    most = integer("max_at_once", max_at_once, 1, 1024)
    finite_number("seconds", seconds, above=0, maximum=3600)
    if not callable(progress):
        raise TypeError(
            f"progress is {shown(progress)}, but must take a line of text"
        )
    client = Client(url, max_requests, seconds, timeout_s, api_key)
    served = look_at(client, folders)
    _require_short(sizes, served)
    plan, missing = probes.scenes(
        served.base, served.adapters, limits, sizes, most
    )
    _require_enough(client, plan, folders)
    loaded = Loaded(client)
    try:
        loaded.load(folders, served)
        session = Session(
            client, served, limits, words(client, served.base), seed, progress
        )
        found = play_rounds(session, plan)
    except BaseException:
        for sentence in loaded.unload():
            progress(sentence)
        raise
    if stayed := loaded.unload():
        raise CalibrationError("; ".join(stayed))
    return _calibration(session, found, missing, sizes)


def _calibration(session, found, missing, sizes: Lengths) -> Calibration:
    fit = fit_cost(found.every)
    typical = median(fit.residuals.values())
    if typical > WORST_FIT:
        raise CalibrationError(
            "no cost fits the steps of this server: half of the probes are "
            f"off by over {typical:.0%}. Is other traffic on it, or on its "
            "machine? Calibrate again when that has ended"
        )
    client = session.client
    return Calibration(
        fit.cost,
        session.limits,
        session.served.base,
        session.served.version,
        machine(),
        fit.residuals,
        (*fit.notes, *missing),
        drift_of(found),
        sizes.prompt,
        sizes.output,
        client.num_requests,
        len(found.every),
        round(time.perf_counter() - client.started, 1),
    )


def _require_short(sizes: Lengths, served: Served) -> None:
    """A probe's prompt and reply must fit the server's context."""
    longest = sizes.prompt[1] + sizes.num_tokens
    if served.max_model_len is not None and longest > served.max_model_len:
        raise ValueError(
            f"prompt_tokens goes up to {sizes.prompt[1]}, output_tokens of "
            f"the probes to {sizes.num_tokens}, but the server's "
            f"max_model_len is {served.max_model_len}: name shorter ones"
        )


def _require_enough(client: Client, plan: list[Scene], folders) -> None:
    """One round, the checks, words and adapters must fit what may be sent."""
    needed = client.num_requests + num_requests(plan)
    needed += num_requests(probes.checks(plan)) + 1
    needed += 2 * sum(folder is not None for folder in folders.values())
    if needed > client.max_requests:
        raise ValueError(
            f"max_requests is {client.max_requests}, but one round of probes "
            f"and its check send {needed}: allow as many, or a smaller "
            "max_at_once"
        )
