"""Published claims about multi-LoRA, recomputed case by case.

A claim gets a range, and each case a value. The verdict follows: it holds
if every case that the claim speaks of lies in the range, it holds under a
condition if some do, and it does not hold if none does.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from multilora.arguments import choice, finite_number, integer, items
from multilora.cache.load_cost import published_slot_times, slot_launches
from multilora.fleet.sizing import HOURS, load_by_hour
from multilora.memory.ledger import memory_ledger
from multilora.models.shapes import ATTENTION, TargetModules
from multilora.models.shipped import model_shape
from multilora.published import published
from multilora.units import gib

HOLDS = "holds"
CONDITION = "holds under a condition"
FAILS = "does not hold"
MODULES: dict[str, TargetModules] = {
    "q, v": ("q_proj", "v_proj"),
    "q, k, v, o": ATTENTION,
    "all linear": "all-linear",
}


class Case(NamedTuple):
    """One way to read a claim, and what the library makes of it.

    is_claimed is false for a case that the claim does not speak of: it is
    shown, but has no part in the verdict.
    """

    what: str
    value: float
    is_claimed: bool = True


class Audit(NamedTuple):
    """A pitch with its cases; instead is what one would have to say."""

    pitch: dict
    cases: list[Case]
    instead: str

    @property
    def verdict(self) -> str:
        return verdict(self.cases, self.pitch["low"], self.pitch["high"])

    def fits(self, case: Case) -> bool:
        """True if the value of a case lies in the range of the claim."""
        return self.pitch["low"] <= case.value <= self.pitch["high"]

    @property
    def condition(self) -> list[str]:
        """The cases in which a conditional claim holds, else nothing."""
        if self.verdict != CONDITION:
            return []
        fitting = filter(self.fits, self.cases)
        return [case.what for case in fitting if case.is_claimed]

    def __str__(self) -> str:
        lines = [f"{self.pitch['unit']}, claimed: {self.pitch['reading']}"]
        for case in self.cases:
            said = "yes" if self.fits(case) else "no"
            said = said if case.is_claimed else "beyond"
            lines.append(f"{_number(case.value):>7}  {said:6}  {case.what}")
        return "\n".join([*lines, f"verdict: {self.verdict}"])


def _number(value):
    """Three digits where they matter: 0.52, 2.83, 131, 1,657."""
    is_whole = float(value).is_integer()
    return f"{value:,.{0 if is_whole or value >= 100 else 2}f}"


def verdict(cases: Iterable[Case], low: float, high: float) -> str:
    """Return HOLDS, CONDITION or FAILS for cases held against a range.

    Only cases with is_claimed count. Raises ValueError where none has it,
    and for a value that is no finite number.
    """
    low = finite_number("low", low)
    high = finite_number("high", high, minimum=low)
    claimed = [case for case in items("cases", cases, Case) if case.is_claimed]
    if not claimed:
        raise ValueError("cases hold none that the claim speaks of")
    fits = [
        low <= finite_number(f"the value of {case.what!r}", case.value) <= high
        for case in claimed
    ]
    return HOLDS if all(fits) else CONDITION if any(fits) else FAILS


def pitches() -> list[dict]:
    """Return the published claims as plain data, a fresh copy each call."""
    return published("pitches")["pitches"]


def read_date() -> str:
    """Return the day on which the claims were read, as ISO text."""
    return published("pitches")["read"]


def pitch(name: str) -> dict:
    """Return one published claim by its id; ValueError for another."""
    found = {item["id"]: item for item in pitches()}
    return found[choice("name", name, found)]


def packed_copies(copies: int) -> dict[str, float]:
    """Return what `copies` merged 7B models leave on S-LoRA's 80 GB card.

    A dict: weight_gib of all copies, kv_tokens and requests (of the mean
    length, in flight at once) of each. The card counts as 80 GiB, of which
    0.92 may be used, as S-LoRA launched four and five copies (one and two
    ran at 0.95, and so with 4 to 5 % more tokens than here); the CUDA
    context and activations of each copy are left out, so that for four and
    more both counts are upper bounds. LLaMA-7B has the shapes of Llama-2-7B.
    """
    copies = integer("copies", copies, minimum=1)
    figures = pitch("slora-4x")["figures"]
    ledger = memory_ledger(
        model_shape("Llama-2-7B"),
        card_gib=figures["card_gib"] / copies,
        gpu_memory_utilization=figures["memory_share"],
    )
    return {
        "copies": copies,
        "weight_gib": gib(copies * ledger.weight_bytes),
        "kv_tokens": ledger.kv_tokens,
        "requests": ledger.kv_tokens // figures["mean_tokens"],
    }


def load_of_tenants(
    tenants: int, mean_load: float, peak_load: float, spread_hours: int
) -> np.ndarray:
    """Return the load of each of 24 hours when the mean a tenant is known.

    Loads are in shares of one GPU. Each tenant has one hour of peak_load;
    the other 23 share what the mean leaves. Raises ValueError for a peak
    below the mean, or so high that it alone is more than the day's load.
    """
    mean_load = finite_number("mean_load", mean_load, above=0)
    peak_load = finite_number("peak_load", peak_load, minimum=mean_load)
    day = HOURS * mean_load
    if peak_load > day * (1 + 1e-12):  # 24 * 0.3 is a hair below 7.2
        raise ValueError(
            f"peak_load is {peak_load}, but one hour can hold at most the "
            f"load of the whole day, {day:g}"
        )
    quiet = (day / peak_load - 1) / (HOURS - 1)
    return load_by_hour(
        tenants, peak_load, spread_hours, min(max(quiet, 0.0), 1.0)
    )


def load_ms_range(model: str, modules: str) -> tuple[float, float]:
    """Return (lowest, highest) ms to load a slot: copies × time of a copy.

    Copies and fills as vLLM 0.8.5 issues them; the time of one as published
    for 7B and 8B models. modules is a key of MODULES.
    """
    choice("modules", modules, MODULES)
    launches = slot_launches(model_shape(model), MODULES[modules], "0.8.5")
    times = [item.us_per_launch for item in published_slot_times()]
    return launches * min(times) / 1000, launches * max(times) / 1000


def throughput_percent(num_adapters: int) -> float:
    """Return the throughput left with so many adapters in a step, in %.

    From the published slope that a step takes 0.939 % longer for each
    distinct adapter in it (Qwen2.5-7B, vLLM 0.8.5). It counts from an
    engine with LoRA; price.lora_prices() has what LoRA costs beside none.
    """
    num_adapters = integer("num_adapters", num_adapters, minimum=0)
    share = published("step_costs")["costs"]["adapter_share"]["value"]
    return 100 / (1 + share * num_adapters)
