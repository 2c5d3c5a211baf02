"""The operator's page: signs, a night, host memory, the load routes."""

from multilora.exercises.answers import Number
from multilora.memory.reservation import slot_reservation_bytes
from multilora.models.shipped import model_shape
from multilora.plan.options import cpu_tier_bytes
from multilora.quiz.question import Choice, Quantity, right, wrong
from multilora.units import gib, mib

LLAMA = model_shape("Llama-3.1-8B")
TENANTS, RANK, TOP = 120, 16, 64


def host_gib(rank: int = RANK) -> float:
    """Return the host memory of a CPU tier for TENANTS, in GiB."""
    return gib(cpu_tier_bytes(LLAMA, TENANTS, rank))


def _slips():
    slots = gib(slot_reservation_bytes(LLAMA, TENANTS, TOP))
    host = "see [section 2](#host-memory-for-max_cpu_loras)."
    return {
        "That is a slot of rank 64 for each. A copy in memory has the "
        f"adapter's own rank and modules; {host}": slots,
        "That is a copy of rank 64 for each. A copy has the adapter's own "
        f"rank; {host}": host_gib(TOP),
        "That is a slot of rank 16 for each. A copy has the adapter's own "
        f"modules, so no room for `lm_head`; {host}":
            gib(slot_reservation_bytes(LLAMA, TENANTS, RANK)),
        "That is in 32 bits, as PEFT saves. A copy has the engine's dtype, "
        f"whatever the file's; {host}": 2 * host_gib(),
        "That is in MiB; the question asks for GiB.":
            mib(cpu_tier_bytes(LLAMA, TENANTS, RANK)),
    }  # fmt: skip


QUESTIONS = [
    Choice(
        "Reason `deferred` is above 0. The newest line of "
        "`vllm:lora_requests_info` names three adapters, and `max_lora` is "
        "eight. What do you conclude?",
        (
            wrong("Tenants wait for slots: raise `max_loras`.",
                  "Only three of eight slots are in use. Both signs must be "
                  "there at once; see [section 1](#1-my-tenants-p99-is-bad)."
                  ),
            wrong("Five slots hold adapters that nobody may evict.",
                  "An idle adapter can be evicted at any time; see [section "
                  "1](#1-my-tenants-p99-is-bad)."),
            right("Something else defers them: a KV transfer, or a grammar.",
                  "Too few slots show as both at once: as many names as "
                  "`max_lora`, and `deferred` above 0."),
            wrong("The metric is old: the others wait for a slot.",
                  "One that waits for a slot has no name there, but then the "
                  "slots are taken by eight others; see [section "
                  "1](#1-my-tenants-p99-is-bad)."),
        ),
    ),
    Choice(
        "At night deferral leads in nearly every late request. One tenant "
        "sends half of the requests and nine tenths of the prompt tokens. "
        "What makes first tokens and the gaps between tokens quick again?",
        (
            wrong("A slot for each tenant",
                  "That ends the deferral. The long prompts still make steps "
                  "long, so the gaps remain; see [two in the "
                  "morning](#a-diagnosis-two-in-the-morning)."),
            right("That tenant's job on another engine",
                  "Long steps kept every slot taken for longer. Deferral is "
                  "where the wait showed, so ask what changed."),
            wrong("A smaller `max_num_batched_tokens`",
                  "It makes gaps smaller and first tokens later; see [which "
                  "dial first?](#which-dial-first)."),
            wrong("A larger `max_cpu_loras`",
                  "All adapters are in the CPU tier already, so nothing is "
                  "read from disk; see [two in the "
                  "morning](#a-diagnosis-two-in-the-morning)."),
        ),
    ),
    Quantity(
        f"{TENANTS} tenants have adapters of rank {RANK} on all linear layers "
        f"of Llama-3.1-8B, and the engine has `max_lora_rank={TOP}`. One such "
        f"adapter takes {host_gib() * 1024 / TENANTS:.0f} MiB. How many GiB "
        "of host memory does a CPU tier for all of them take?",
        "GiB",
        Number(host_gib,
               "Host memory is the cheapest thing you can give a tenant. On a "
               "GPU the copies are pinned, so the host cannot swap them.",
               _slips, within=1e-2),
    ),
    Choice(
        "Runtime loading is switched on. `--api-key` is set, and your proxy "
        "blocks `/v1/load_lora_adapter`. Who can load adapters?",
        (
            wrong("Only your own service",
                  "There are two load routes, and the key guards one of "
                  "them; see [section 5](#5-security-of-runtime-loading)."),
            wrong("Only those who have the key",
                  "`/adapters` answers without any key; see [section "
                  "5](#5-security-of-runtime-loading)."),
            wrong("Nobody until the proxy is opened",
                  "The proxy blocks one of two routes; see [section "
                  "5](#5-security-of-runtime-loading)."),
            right("Whoever reaches `/adapters`",
                  "It does the same under another name, without a key. Let "
                  "tenants reach the paths they need and no other."),
        ),
    ),
]  # fmt: skip
