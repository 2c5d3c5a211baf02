"""Requests to a live fleet, and what came of each: who got it, how soon."""

import asyncio
import json
import time
from typing import NamedTuple

import httpx
import numpy as np

from multilora.tenants import corpus

NUM_TENANTS = 8
WORDS = sorted(
    {word for one in corpus.every_held_out() for word in one.prompt.split()}
)
PROMPT_WORDS = (2, 12)
OUTPUT_TOKENS = (2, 12)
BROKEN = 0  # in an HTTP status' place: the answer did not come to its end


class Sent(NamedTuple):
    """A request, at_s after the start, of a text of words."""

    at_s: float
    tenant: int
    prompt_words: int
    output_tokens: int


class Outcome(NamedTuple):
    """What a client saw: the HTTP status or BROKEN, the answer's id, times.

    answer_id is None where no token came.
    """

    number: int
    status: int
    answer_id: str | None
    ttft_s: float
    seconds: float


def requests(num, per_second, seed, zipf=1.0):
    """Return num requests of Zipf's tenants that come at random moments."""
    rng = np.random.default_rng(seed)
    shares = 1 / np.arange(1, NUM_TENANTS + 1) ** zipf
    return [
        Sent(*row)
        for row in zip(
            np.cumsum(rng.exponential(1 / per_second, num)).tolist(),
            rng.choice(NUM_TENANTS, num, p=shares / shares.sum()).tolist(),
            rng.integers(*PROMPT_WORDS, num, endpoint=True).tolist(),
            rng.integers(*OUTPUT_TOKENS, num, endpoint=True).tolist(),
            strict=True,
        )
    ]


def name_of(tenant):
    return f"tenant-{tenant}"


def send(url, wanted, headers, name_of=name_of, one_prompt=False):
    """Send each request at its time; return the Outcomes, in order.

    headers returns a tenant's headers; one_prompt is for all the same. An
    X-Request-Id would tell who got a request, but vllm-router hashes it.
    """
    rng = np.random.default_rng(1)
    calls = []
    for number, one in enumerate(wanted):
        name = name_of(one.tenant)
        rng = np.random.default_rng(1) if one_prompt else rng
        calls.append(
            (
                number,
                one.at_s,
                _body(one, name, rng),
                headers(name),
            )
        )
    return asyncio.run(_send(f"{url}/completions", calls))


def _body(one, name, rng):
    return {
        "model": name,
        "prompt": " ".join(rng.choice(WORDS, one.prompt_words)),
        "max_tokens": one.output_tokens,
        "ignore_eos": True,
        "temperature": 0,
        "stream": True,
    }


async def _send(url, calls):
    start = time.perf_counter() + 0.2
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(timeout=60, limits=limits) as client:
        return await asyncio.gather(
            *(
                _ask(client, url, number, start + at_s, body, headers)
                for number, at_s, body, headers in calls
            )
        )


async def _ask(client, url, number, at, body, headers):
    await asyncio.sleep(max(0, at - time.perf_counter()))
    begun, first, last, answer_id = time.perf_counter(), None, "", None
    status = BROKEN
    try:
        async with client.stream(
            "POST", url, json=body, headers=headers
        ) as answer:
            status = answer.status_code
            async for line in answer.aiter_lines():
                if not line.strip():
                    continue
                if first is None and status == 200:
                    first = time.perf_counter()
                    answer_id = json.loads(line.removeprefix("data: "))["id"]
                last = line
    except httpx.HTTPError:
        status = BROKEN
    if status == 200 and last != "data: [DONE]":
        status = BROKEN
    now = time.perf_counter()
    return Outcome(
        number, status, answer_id, (first or now) - begun, now - begun
    )
