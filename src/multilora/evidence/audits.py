"""The cases of each published claim: what it could mean, recomputed."""

from multilora.adapters.file import adapter_file_bytes, adapter_params
from multilora.arguments import choice, finite_number
from multilora.evidence.pitches import (
    MODULES,
    Audit,
    Case,
    load_ms_range,
    load_of_tenants,
    packed_copies,
    pitch,
    pitches,
)
from multilora.fleet.sizing import engines_under_load
from multilora.memory.economics import adapter_bytes
from multilora.memory.reservation import slot_reservation_bytes
from multilora.models.shipped import model_shape
from multilora.units import percent

MB = 10**6  # sizes are held against claims in MB here
_SAVED = {"F16": "16 bits", "F32": "fp32 as PEFT saves it"}


def audit(name: str) -> Audit:
    """Return the Audit of one pitch by its id; ValueError for another."""
    claim = pitch(choice("name", name, _AUDITS))
    return Audit(claim, *_AUDITS[name](claim["figures"]))


def audits() -> list[Audit]:
    """Return the Audit of every pitch, in the order of the data."""
    return [audit(item["id"]) for item in pitches()]


def file_mb(model: str, rank: int, modules: str, dtype: str) -> float:
    """Return the MB (10**6 bytes) of an adapter file; modules as MODULES."""
    targets = MODULES[choice("modules", modules, MODULES)]
    return adapter_file_bytes(model_shape(model), rank, targets, dtype) / MB


def share_percent(model: str, num_bytes: float) -> float:
    """Return bytes in % of a model's weights at two bytes each."""
    num_bytes = finite_number("num_bytes", num_bytes, minimum=0)
    return 100 * num_bytes / (2 * model_shape(model).num_params)


def _tgi(figures):
    count, base = figures["adapters"], "Mistral-7B"

    def share(rank, modules, dtype):
        size = MB * file_mb(base, rank, modules, dtype)
        return share_percent(base, count * size)

    slots = slot_reservation_bytes(model_shape(base), count, 8)
    cases = [
        Case("rank 8 on q, v, fp32: the file they name",
             share(8, "q, v", "F32")),
        Case("the same in VRAM, cast to 16 bits", share(8, "q, v", "F16")),
        Case("30 vLLM slots of max_lora_rank 8",
             share_percent(base, slots), False),
        Case("rank 16 on all linear, 16 bits",
             share(16, "all linear", "F16"), False),
        Case("rank 16 on all linear, fp32 as PEFT saves it",
             share(16, "all linear", "F32"), False),
    ]  # fmt: skip
    return cases, (
        f"30 files of rank 8 on q and v are {cases[0].value:.1f} % of the "
        f"base, half of that once cast to 16 bits; 30 vLLM slots of that "
        f"rank take {cases[2].value:.1f} %, and 30 of rank 16 on all linear "
        f"layers {cases[3].value:.1f} %."
    )


def _guide(figures):
    def millions(model, modules):
        shape = model_shape(model)
        return adapter_params(shape, figures["rank"], MODULES[modules]) / 1e6

    cases = [
        Case(f"{model}, {modules}", millions(model, modules))
        for model in ("Llama-2-7B", "Mistral-7B", "Qwen2.5-7B")
        for modules in MODULES
    ]
    values = [case.value for case in cases]
    return cases, (
        f"Rank 8 on a 7B model is {min(values):.1f} to {max(values):.1f} "
        "million parameters: say which modules."
    )


def _ray(_figures):
    def share(model, rank, dtype="F16"):
        size = MB * file_mb(model, rank, "all linear", dtype)
        return share_percent(model, size)

    cases = [
        Case(f"{model}, rank {rank}, all linear", share(model, rank))
        for model in ("Llama-3.1-8B", "Llama-3.1-70B")
        for rank in (8, 16, 32, 64)
    ]
    on_disk = share("Llama-3.1-8B", 16, "F32")
    cases.append(Case("Llama-3.1-8B, rank 16, fp32 on disk", on_disk))
    return cases, (
        f"Up to rank 16 on an 8B model ({cases[1].value:.2f} %) and rank 32 "
        f"on a 70B ({cases[6].value:.2f} %), all linear, in equal precision."
    )


def _faraday(figures):
    rank = figures["rank"]
    cases = [
        Case("Llama-3.1-70B, q, k, v, o, 16 bits",
             file_mb("Llama-3.1-70B", rank, "q, k, v, o", "F16")),
        Case("the square formula: k and v as wide as q",
             adapter_bytes(8192, 80, rank) / MB, False),
    ]  # fmt: skip
    return cases, (
        f"{cases[0].value:.0f} MB: Llama-70B groups its queries, so k and v "
        "are an eighth as wide as q."
    )


def _lumnt_size(figures):
    base, rank = "Llama-3.1-70B", figures["rank"]
    cases = [
        Case(f"{modules}, {text}", file_mb(base, rank, modules, dtype))
        for modules in MODULES
        for dtype, text in _SAVED.items()
    ]
    return cases, (
        f"{cases[0].value:.0f} MB on q and v alone, {cases[2].value:.0f} on "
        f"q, k, v, o, {cases[4].value:.0f} on all linear layers, in 16 bits."
    )


def _lumnt_switch(figures):
    cases = [Case("the switch itself: nothing is copied", 0.0)]
    cases += [
        Case(f"P50 with {adapters} in a batch, by their table", more)
        for adapters, more in figures["more_p50_ms"]
    ]
    for modules in ("q, v", "all linear"):
        low, high = load_ms_range("Llama-3.1-70B", modules)
        cases += [
            Case(f"a load from the CPU, {modules}, quickest", low, False),
            Case(f"a load from the CPU, {modules}, slowest", high, False),
        ]
    table, limit = figures["more_p50_ms"], figures["switch_ms"]
    few = max(adapters for adapters, more in table if more <= limit)
    most, slow = table[-1]
    return cases, (
        f"{limit} ms for up to {few} adapters in a batch, {slow} ms for "
        f"{most} by the same page; a load is about {cases[-4].value:.0f} to "
        f"{cases[-1].value:.0f} ms, for those who have more adapters than "
        "slots."
    )


def _slora(figures):
    rows = [
        row | {"what": f"packed copies of a 7B: {row['copies']}"}
        for row in figures["rows"]
    ]
    cases = [
        Case(row["what"], row["slora_req_s"] / row["packed_req_s"])
        for row in rows + figures["more_rows"]
    ]
    full = len(rows) - 1
    tokens = packed_copies(rows[full]["copies"])["kv_tokens"]
    return cases, (
        f"{cases[full].value:.1f} times where five copies leave "
        f"{tokens:,} KV tokens each, {cases[1].value:.1f} times at two "
        "copies; the lasting gain is that the sixth tenant fits at all."
    )


def _aws(figures):
    tenants, mean = figures["tenants"], figures["mean_load"]
    mild, harsh = (tax["share"] for tax in figures["taxes"])

    def gpus(peak, spread, tax=0.0):
        load = load_of_tenants(tenants, mean, peak, spread)
        return engines_under_load(tenants, tenants, load / (1 - tax))

    cases = [
        Case("every hour alike", gpus(mean, 1)),
        Case(f"every hour alike, {percent(harsh, 0)} lost to LoRA",
             gpus(mean, 1, harsh)),
        Case("a busy hour of half a GPU, five different hours",
             gpus(0.5, tenants)),
        Case(f"the same, {percent(mild, 0)} lost to LoRA",
             gpus(0.5, tenants, mild)),
        Case("a busy hour of half a GPU, the same hour", gpus(0.5, 1)),
        Case("a busy hour of a whole GPU, five different hours",
             gpus(1.0, tenants)),
        Case("a busy hour of a whole GPU, the same hour", gpus(1.0, 1)),
    ]  # fmt: skip
    return cases, (
        "One GPU if the sum of all five stays below what it serves at the "
        f"busiest hour; with one busy hour in common, {cases[-3].value} to "
        f"{cases[-1].value} at the same mean."
    )


_AUDITS = {
    "tgi-30": _tgi,
    "guide-16m": _guide,
    "ray-1": _ray,
    "faraday-168": _faraday,
    "lumnt-120": _lumnt_size,
    "lumnt-2ms": _lumnt_switch,
    "slora-4x": _slora,
    "aws-five": _aws,
}
