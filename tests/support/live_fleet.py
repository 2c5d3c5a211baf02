"""Requests to a live fleet, and what came of each: who got it, how soon."""

import asyncio
import json
import time
from typing import NamedTuple

import httpx
import numpy as np

NUM_TENANTS = 8
PROMPT_TOKENS = (8, 64)
OUTPUT_TOKENS = (4, 24)


class Sent(NamedTuple):
    """A request, at_s after the start, in tokens."""

    at_s: float
    tenant: int
    prompt_tokens: int
    output_tokens: int


class Outcome(NamedTuple):
    """What a client saw: the HTTP status, 0 for no whole answer, times."""

    number: int
    status: int
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
            rng.integers(*PROMPT_TOKENS, num, endpoint=True).tolist(),
            rng.integers(*OUTPUT_TOKENS, num, endpoint=True).tolist(),
            strict=True,
        )
    ]


def name_of(tenant):
    return f"tenant-{tenant}"


def send(url, wanted, headers, prefix, name_of=name_of):
    """Send each request at its time; return the Outcomes, in order.

    headers returns a tenant's headers. The engines see a request's id as
    prefix and its number.
    """
    return asyncio.run(_send(url, wanted, headers, prefix, name_of))


async def _send(url, wanted, headers, prefix, name_of):
    rng = np.random.default_rng(1)
    start = time.perf_counter() + 0.2
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(timeout=60, limits=limits) as client:
        return await asyncio.gather(
            *(
                _ask(
                    client, f"{url}/completions", number, start + one.at_s,
                    _body(one, name_of(one.tenant), rng),
                    headers(name_of(one.tenant))
                    | {"X-Request-Id": f"{prefix}{number}."},
                )
                for number, one in enumerate(wanted)
            )
        )  # fmt: skip


def _body(one, name, rng):
    return {
        "model": name,
        "prompt": rng.integers(10, 60, one.prompt_tokens).tolist(),
        "max_tokens": one.output_tokens,
        "ignore_eos": True,
        "temperature": 0,
        "stream": True,
    }


async def _ask(client, url, number, at, body, headers):
    await asyncio.sleep(max(0, at - time.perf_counter()))
    begun, first, last = time.perf_counter(), None, ""
    status = 0
    try:
        async with client.stream(
            "POST", url, json=body, headers=headers
        ) as answer:
            status = answer.status_code
            async for line in answer.aiter_lines():
                if line.strip():
                    first = first or time.perf_counter()
                    last = line
    except httpx.HTTPError:
        status = 0
    if status == 200 and last != "data: [DONE]":
        status = 0
    now = time.perf_counter()
    return Outcome(number, status, (first or now) - begun, now - begun)


def message(answer):
    """Return the error that an answer's body tells."""
    return json.loads(answer)["error"]["message"]
