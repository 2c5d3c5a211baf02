"""Ask a live vLLM server the same alone and in company: do answers change?

Silent wrong answers have no error to look for. What shows them is a prompt
with a known answer; the server's own answer alone is taken for that.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from multilora.arguments import finite_number, integer, shown
from multilora.canary.alike import MOST_NOISE
from multilora.canary.asked import (
    LEFT_OUT,
    checked_folders,
    checked_texts,
    looked_at,
)
from multilora.canary.company import (
    Answers,
    Own,
    Session,
    in_company,
    in_turn,
    own_answers,
)
from multilora.canary.greedy import Greedy
from multilora.canary.newcomer import load_among
from multilora.canary.wrong import Case, Finding, judged, unapplied
from multilora.serving.client import Client
from multilora.serving.served import Loaded

PROMPTS = (
    "List three fruits:",
    "The capital of France is",
    "Write one sentence to a customer who waits for a parcel:",
    "1, 2, 3, 4,",
)
MAX_REQUESTS = 100_000


class Canary(NamedTuple):
    """What a server was asked, and what was found.

    no_verdict says why a change cannot be judged, if so; then agreeing is all
    that can be said: the share of leading tokens that agree, by check, and
    "alone" and "among" (batches of one model).
    noise is how far logprobs moved there, num_unclear the changes by check
    that are no finding, notes what was not tried and what stayed.
    """

    url: str
    vllm_version: str
    base: str
    adapters: tuple[str, ...]
    loaded: tuple[str, ...]
    no_verdict: tuple[str, ...]
    has_logprobs: bool
    noise: float
    findings: tuple[Finding, ...]
    num_unclear: dict[str, int]
    num_asked: dict[str, int]
    agreeing: dict[str, float]
    notes: tuple[str, ...]
    num_requests: int
    seconds: float

    @property
    def is_healthy(self) -> bool:
        """True with a verdict, and no finding that is more than a hint."""
        is_clear = all(one.is_hint for one in self.findings)
        return is_clear and not self.no_verdict


def canary(
    url: str,
    adapters: Iterable[str] | None = None,
    load: Mapping[str, str] | None = None,
    prompts: Iterable[str] = PROMPTS,
    num_tokens: int = 24,
    repeats: int = 3,
    max_adapters: int = 8,
    seconds: float = 600,
    timeout_s: float = 60,
    api_key: str | None = None,
    progress: Callable[[str], object] = lambda line: None,
    seed: int | None = None,
) -> Canary:
    """Look for answers that others' requests change, and for idle adapters.

    adapters None are the first max_adapters that the server lists; load maps
    names to folders on the server, loaded while the others answer and taken
    out at the end. Each prompt is asked `repeats` times in batches of all,
    num_tokens of answer each; seed is for the order within them.
    Raises ValueError for arguments that cannot be, CalibrationError for a
    server that does not answer as vLLM does; then, and on Ctrl-C, no request
    and no adapter of ours remains.
    """
    wanted = None if adapters is None else checked_texts("adapters", adapters)
    folders = checked_folders(load)
    asked = tuple(checked_texts("prompts", prompts))
    num_tokens = integer("num_tokens", num_tokens, 1, 1024)
    repeats = integer("repeats", repeats, 1, 100)
    most = integer("max_adapters", max_adapters, 1, 64)
    finite_number("seconds", seconds, above=0, maximum=3600)
    seed = None if seed is None else integer("seed", seed, 0, 2**32)
    if not callable(progress):
        raise TypeError(
            f"progress is {shown(progress)}, but must take a line of text"
        )
    client = Client(url, MAX_REQUESTS, seconds, timeout_s, api_key)
    served, notes = looked_at(client, wanted, folders, most)
    greedy = Greedy(client, num_tokens)
    session = Session(
        greedy, served, asked, len(folders), repeats, random.Random(seed),
        progress,
    )  # fmt: skip
    left_out = greedy.agree(served.base, max(asked, key=len))
    own = own_answers(session)
    if not own.has_logprobs and "logprobs" not in left_out:
        left_out.append("logprobs")
    notes += [LEFT_OUT[name] for name in left_out]
    cases, untried = _cases(session, own.answers)
    notes += untried
    new, answers, stayed = _newcomers(session, folders, own.answers)
    cases += new
    no_verdict = _why_no_verdict(own)
    found = judged(cases, own.noise, is_exact=not no_verdict)
    findings = found.findings + unapplied(served.base, answers, own.noise)
    return Canary(
        client.url, served.version, served.base, tuple(served.adapters),
        tuple(folders), tuple(no_verdict), own.has_logprobs,
        own.noise.seen, tuple(findings), found.num_unclear,
        dict(Counter(case.check for case in cases)),
        {"alone": own.alone, "among": own.among, **found.agreeing},
        tuple(notes + stayed), client.num_requests,
        round(time.perf_counter() - client.started, 1),
    )  # fmt: skip


def _why_no_verdict(own: Own) -> list[str]:
    """Return why changes cannot be judged; empty where they can."""
    why = []
    if not own.is_exact:
        why.append(
            "its answers to one model alone are not the same each time: is "
            "other traffic on it?"
        )
    if own.noise.seen > MOST_NOISE:
        why.append(
            f"logprobs move by {own.noise.seen:.2g} in batches of one model: "
            "that is more than the noise of floats"
        )
    if not own.has_logprobs and own.among < 1:
        why.append(
            "answers change in batches of one model, and without logprobs "
            "that cannot be told apart from float noise"
        )
    if not any(one.tokens for one in own.replies):
        why.append("all answers are empty, and show nothing")
    return why


def _cases(session: Session, answers: Answers) -> tuple[list[Case], list[str]]:
    if len(answers) < 2:
        return [], []
    cases = in_company(session, answers, ("base", "company"))
    turns, why = in_turn(session)
    notes = [f"long prompts in turn were not tried: {why}"] if why else []
    return cases + turns, notes


def _newcomers(session, folders, answers):
    """Load each adapter among the others; all are taken out at the end."""
    loaded = Loaded(session.greedy.client)
    cases: list[Case] = []
    try:
        for name, folder in folders.items():
            found, own = load_among(session, loaded, name, folder, answers)
            cases += found
            answers = {**answers, **own}
    except BaseException:
        for sentence in loaded.unload():
            session.progress(sentence)
        raise
    return cases, answers, loaded.unload()
